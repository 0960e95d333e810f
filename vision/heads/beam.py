"""Beam search over photos in a batch: every hypothesis of every photo advances in one step.

Shapes: P photos still being described, W hypotheses each, K candidate words, T words so far.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vision.heads.gist import Judge
from vision.heads.speaking import Seen, State

# The words of a sentence, and the log probability of each and of its end.
Found = tuple[list[int], list[float]]

# A hypothesis may lose some of its best candidates to the ban on repetition.
SPARE_CANDIDATES = 2
# What it costs (nats) to repeat a run of words or to end badly: only without any other way out.
BAN = 50.0
# Photos are let go when this share of them is decided: letting go copies what the others see.
RELEASE_FROM = 1 / 8


class Speaks(Protocol):
    """What the search needs of a decoder; see `vision.heads.speaking.Speaker`."""

    def prepare(self, seen: Seen) -> Seen: ...

    def step(self, words_B: Tensor, seen: Seen, state: State) -> tuple[Tensor, State]: ...


@dataclass(frozen=True, slots=True)
class BeamConfig:
    """How to search. A hypothesis scores sum of log probabilities / length ** length_power.

    `forbidden` words are never said, `unfinal` ones ("with", "a") not as the last. No run of
    `unrepeated` words occurs twice; 0 allows it.
    """

    start: int
    end: int = 0
    forbidden: tuple[int, ...] = ()
    unfinal: tuple[int, ...] = ()
    unrepeated: int = 0
    width: int = 3
    max_words: int = 20
    length_power: float = 0.8


@torch.inference_mode()
def beam_search(
    speaker: Speaks, seen: Seen, config: BeamConfig, *, judge: Judge | None = None
) -> list[Found]:
    """The best sentence of each photo; with a judge, it has a say among those that are left.

    A photo's result does not depend on the others in the batch.
    """
    found: dict[int, Found] = {}
    beams = _Beams.start(speaker.prepare(seen), config, judge)
    for _ in range(config.max_words):
        beams.grow(speaker)
        decided_P = beams.decided()
        if decided_P.sum() >= RELEASE_FROM * len(decided_P):
            found.update(beams.release(decided_P))
        if not len(beams.photos):
            break
    found.update(beams.release(torch.ones_like(beams.photos, dtype=torch.bool)))
    return [found[photo] for photo in range(len(seen))]


@dataclass(slots=True)
class _Beams:
    """The hypotheses of all photos that are not decided."""

    config: BeamConfig
    judge: Judge | None
    photos: Tensor  # (P,) their place in the batch
    seen: Seen  # of the P photos
    state: State  # each (P * W, H)
    words: Tensor  # (P, W, T), the start included
    gains: Tensor  # (P, W, T) log probability of each word, 0 for the start and after the end
    totals: Tensor  # (P, W) their sum
    lengths: Tensor  # (P, W) words, the end included

    @classmethod
    def start(cls, seen: Seen, config: BeamConfig, judge: Judge | None) -> "_Beams":
        # At first there is one hypothesis, that nothing was said.
        shape, device = (len(seen), 1), seen.keys.device
        return cls(
            config=config,
            judge=judge,
            photos=torch.arange(len(seen), device=device),
            seen=seen,
            state=seen.state,
            words=torch.full((*shape, 1), config.start, device=device),
            gains=torch.zeros((*shape, 1), device=device),
            totals=torch.zeros(shape, device=device),
            lengths=torch.zeros(shape, device=device),
        )

    def grow(self, speaker: Speaks) -> None:
        """Add the best next word to the best hypotheses."""
        last_PW = self.words[:, :, -1]
        logits_BV, state = speaker.step(last_PW.flatten(), self.seen, self.state)
        done_PW = last_PW == self.config.end
        gains_PWK, words_PWK = self._candidates(logits_BV.unflatten(0, last_PW.shape), done_PW)
        grown_PWK = self.totals[:, :, None] + gains_PWK
        lengths_PW = self.lengths + ~done_PW
        # Compare by what each would score if it stopped here, so that short ones do not win.
        scores_PWK = grown_PWK / lengths_PW[:, :, None] ** self.config.length_power
        width = min(self.config.width, scores_PWK[0].numel())
        best_PW = scores_PWK.flatten(1).topk(width, dim=1).indices
        parents_PW = best_PW // gains_PWK.shape[-1]
        chosen_PW = words_PWK.flatten(1).gather(1, best_PW)
        gained_PW = gains_PWK.flatten(1).gather(1, best_PW)
        before_PWT = parents_PW[:, :, None].expand(-1, -1, self.words.shape[-1])
        self.words = torch.cat([self.words.gather(1, before_PWT), chosen_PW[..., None]], dim=-1)
        self.gains = torch.cat([self.gains.gather(1, before_PWT), gained_PW[..., None]], dim=-1)
        self.totals = grown_PWK.flatten(1).gather(1, best_PW)
        self.lengths = lengths_PW.gather(1, parents_PW)
        first_P1 = torch.arange(len(self.photos), device=parents_PW.device)[:, None]
        rows = (first_P1 * last_PW.shape[1] + parents_PW).flatten()
        self.state = (state[0][rows], state[1][rows])

    def _candidates(self, logits_PWV: Tensor, done_PW: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities and numbers (P, W, K) of each hypothesis's likeliest next words.

        A finished hypothesis only repeats its end, for free.
        """
        config = self.config
        logits_PWV[..., list(config.forbidden)] = float("-inf")
        spare = SPARE_CANDIDATES if config.unrepeated or config.unfinal else 0
        count = min(config.width + spare, logits_PWV.shape[-1])
        best = logits_PWV.topk(count, dim=-1)
        # The greatest is at hand, so the sum needs no second pass to find it.
        greatest_PW1 = best.values[..., :1]
        whole_PW1 = logits_PWV.sub_(greatest_PW1).exp_().sum(dim=-1, keepdim=True).log_()
        gains_PWK = best.values - (whole_PW1 + greatest_PW1)
        gains_PWK = gains_PWK - BAN * self._banned(best.indices)
        words_PWK = best.indices.masked_fill(done_PW[:, :, None], config.end)
        gains_PWK = gains_PWK.masked_fill(done_PW[:, :, None], float("-inf"))
        gains_PWK[..., 0] = gains_PWK[..., 0].masked_fill(done_PW, 0.0)
        return gains_PWK, words_PWK

    def _banned(self, words_PWK: Tensor) -> Tensor:
        """Which next words (P, W, K) would repeat a run of words or end where none can."""
        banned_PWK = torch.zeros_like(words_PWK, dtype=torch.bool)
        if self.config.unfinal:
            ends_PWK = words_PWK == self.config.end
            banned_PWK |= ends_PWK & self._ends_badly(self.words[..., -1])[..., None]
        n = self.config.unrepeated
        if n and self.words.shape[-1] > n:
            runs_PWRn = self.words[..., 1:].unfold(-1, n, 1)
            last_PW1n = self.words[..., None, self.words.shape[-1] - n + 1 :]
            same_PWR = (runs_PWRn[..., :-1] == last_PW1n).all(dim=-1)
            next_PWRK = runs_PWRn[..., -1:] == words_PWK[..., None, :]
            banned_PWK |= (same_PWR[..., None] & next_PWRK).any(dim=-2)
        return banned_PWK

    def _ends_badly(self, last_PW: Tensor) -> Tensor:
        return torch.isin(last_PW, torch.tensor(self.config.unfinal, device=last_PW.device))

    def decided(self) -> Tensor:
        """Photos (P,) whose best hypothesis is finished and cannot be outdone.

        Log probabilities only fall, so an unfinished one scores at most what it has now, divided
        by the greatest length. A judge hears all hypotheses out.
        """
        done_PW = self.words[:, :, -1] == self.config.end
        if self.judge:
            return done_PW.all(dim=1)
        power = self.config.length_power
        scores_PW = self.totals / self.lengths**power
        most_PW = self.totals / self.config.max_words**power
        finished_P = scores_PW.masked_fill(~done_PW, float("-inf")).amax(dim=1)
        return finished_P >= most_PW.masked_fill(done_PW, float("-inf")).amax(dim=1)

    def release(self, which_P: Tensor) -> Iterator[tuple[int, Found]]:
        """Yield the best sentence of some photos, by their place in the batch, and let them go."""
        if not which_P.any():
            return
        scores_PW = self.totals / self.lengths**self.config.length_power
        if self.judge:
            scores_PW = scores_PW + self.judge.scores(self.words[..., 1:], self.photos)
        for row in which_P.nonzero().flatten().tolist():
            best = int(scores_PW[row].argmax())
            yield int(self.photos[row]), self._sentence(row, best)
        self._keep(~which_P)

    def _sentence(self, row: int, best: int) -> Found:
        """One that was cut off loses the words that nothing may end in."""
        words = self.words[row, best, 1:].tolist()
        gains = self.gains[row, best, 1:].tolist()
        if self.config.end in words:
            length = words.index(self.config.end)
            return words[:length], gains[: length + 1]
        while words and words[-1] in self.config.unfinal:
            words.pop()
        return words, gains[: len(words)]

    def _keep(self, which_P: Tensor) -> None:
        rows = which_P.repeat_interleave(self.words.shape[1])
        for name in ("photos", "words", "gains", "totals", "lengths"):
            setattr(self, name, getattr(self, name)[which_P])
        self.seen = self.seen.of(which_P)
        self.state = (self.state[0][rows], self.state[1][rows])
