"""Beam search over photos in a batch: every hypothesis of every photo advances in one step.

Shapes: P photos still being described, W hypotheses each, K candidate words, T words so far.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

State = tuple[Tensor, Tensor]
Found = tuple[list[int], float]


class Decoder(Protocol):
    """What the search needs of a decoder; see `vision.heads.captions.CaptionDecoder`."""

    def look(self, grid_PNC: Tensor, pooled_PF: Tensor) -> tuple[Tensor, Tensor, State]: ...

    def step(
        self, words_BT: Tensor, keys_PND: Tensor, values_PND: Tensor, state: State
    ) -> tuple[Tensor, State]: ...


@dataclass(frozen=True, slots=True)
class BeamConfig:
    """How to search. A hypothesis scores sum of log probabilities / length ** length_power."""

    start: int
    end: int = 0
    forbidden: tuple[int, ...] = ()
    width: int = 3
    max_words: int = 20
    length_power: float = 0.8


@torch.inference_mode()
def beam_search(
    decoder: Decoder, grid_PNC: Tensor, pooled_PF: Tensor, config: BeamConfig
) -> list[Found]:
    """The best sentence of each photo and the mean log probability of its words.

    A photo's result does not depend on the others in the batch.
    """
    found: dict[int, Found] = {}
    beams = _Beams.start(decoder, grid_PNC, pooled_PF, config)
    for _ in range(config.max_words):
        beams.grow(decoder, config)
        found.update(beams.release(beams.finished(config), config))
        if not len(beams.photos):
            break
    found.update(beams.release(torch.ones_like(beams.photos, dtype=torch.bool), config))
    return [found[photo] for photo in range(len(grid_PNC))]


@dataclass(slots=True)
class _Beams:
    """The hypotheses of all photos that are not finished."""

    photos: Tensor  # (P,) their place in the batch
    keys: Tensor  # (P, N, D)
    values: Tensor  # (P, N, D)
    state: State  # each (1, P * W, H)
    words: Tensor  # (P, W, T)
    totals: Tensor  # (P, W) sum of log probabilities
    lengths: Tensor  # (P, W) words, the end included

    @classmethod
    def start(
        cls, decoder: Decoder, grid_PNC: Tensor, pooled_PF: Tensor, config: BeamConfig
    ) -> "_Beams":
        keys, values, (hidden, cell) = decoder.look(grid_PNC, pooled_PF)
        shape, device = (len(grid_PNC), config.width), grid_PNC.device
        # At first all hypotheses of a photo are equal: only one of them may branch.
        totals = torch.full(shape, float("-inf"), device=device)
        totals[:, 0] = 0.0
        hidden, cell = (part.repeat_interleave(config.width, dim=1) for part in (hidden, cell))
        return cls(
            photos=torch.arange(len(grid_PNC), device=device),
            keys=keys,
            values=values,
            state=(hidden, cell),
            words=torch.full((*shape, 1), config.start, device=device),
            totals=totals,
            lengths=torch.zeros(shape, device=device),
        )

    def grow(self, decoder: Decoder, config: BeamConfig) -> None:
        """Add the best next word to the best hypotheses."""
        last_PW = self.words[:, :, -1]
        logits, state = decoder.step(last_PW.reshape(-1, 1), self.keys, self.values, self.state)
        done_PW = last_PW == config.end
        gains_PWK, words_PWK = _candidates(
            logits[:, -1].unflatten(0, last_PW.shape), done_PW, config
        )
        grown_PWK = self.totals[:, :, None] + gains_PWK
        lengths_PW = self.lengths + ~done_PW
        # Compare by what each would score if it stopped here, so that short ones do not win.
        scores_PWK = grown_PWK / lengths_PW[:, :, None] ** config.length_power
        best_PW = scores_PWK.flatten(1).topk(config.width, dim=1).indices
        parents_PW = best_PW // gains_PWK.shape[-1]
        chosen_PW = words_PWK.flatten(1).gather(1, best_PW)
        before_PWT = self.words.gather(1, parents_PW[:, :, None].expand_as(self.words))
        self.words = torch.cat([before_PWT, chosen_PW[:, :, None]], dim=-1)
        self.totals = grown_PWK.flatten(1).gather(1, best_PW)
        self.lengths = lengths_PW.gather(1, parents_PW)
        first_P1 = torch.arange(len(self.photos), device=parents_PW.device)[:, None] * config.width
        rows = (first_P1 + parents_PW).flatten()
        self.state = (state[0][:, rows], state[1][:, rows])

    def finished(self, config: BeamConfig) -> Tensor:
        """Photos (P,) whose every hypothesis has come to its end."""
        return (self.words[:, :, -1] == config.end).all(dim=1)

    def release(self, which_P: Tensor, config: BeamConfig) -> Iterator[tuple[int, Found]]:
        """Yield the best sentence of some photos, by their place in the batch, and let them go."""
        scores_PW = self.totals / self.lengths**config.length_power
        for row in which_P.nonzero().flatten().tolist():
            best = int(scores_PW[row].argmax())
            mean = float(self.totals[row, best] / self.lengths[row, best])
            words = [word for word in self.words[row, best, 1:].tolist() if word != config.end]
            yield int(self.photos[row]), (words, mean)
        if which_P.any():
            self._keep(~which_P, config.width)

    def _keep(self, which_P: Tensor, width: int) -> None:
        for name in ("photos", "keys", "values", "words", "totals", "lengths"):
            setattr(self, name, getattr(self, name)[which_P])
        rows = which_P.repeat_interleave(width)
        self.state = (self.state[0][:, rows], self.state[1][:, rows])


def _candidates(logits_PWV: Tensor, done_PW: Tensor, config: BeamConfig) -> tuple[Tensor, Tensor]:
    """Log probabilities and numbers (P, W, K) of each hypothesis's likeliest next words.

    None beyond its first W can be among the best W of its photo. A finished hypothesis only
    repeats its end, for free.
    """
    logits_PWV[..., list(config.forbidden)] = float("-inf")
    best = logits_PWV.topk(min(config.width, logits_PWV.shape[-1]), dim=-1)
    gains_PWK = best.values - logits_PWV.logsumexp(dim=-1, keepdim=True)
    words_PWK = best.indices.masked_fill(done_PW[:, :, None], config.end)
    gains_PWK = gains_PWK.masked_fill(done_PW[:, :, None], float("-inf"))
    gains_PWK[..., 0] = gains_PWK[..., 0].masked_fill(done_PW, 0.0)
    return gains_PWK, words_PWK
