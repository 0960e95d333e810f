"""Beam search over photos in a batch: every hypothesis of every photo advances in one step."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

State = tuple[Tensor, Tensor]


class Decoder(Protocol):
    """What the search needs of a decoder; see `vision.heads.captions.CaptionDecoder`."""

    def look(self, grid_BNC: Tensor, pooled_BP: Tensor) -> tuple[Tensor, Tensor, State]: ...

    def step(
        self, words_BT: Tensor, keys_BND: Tensor, values_BND: Tensor, state: State
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
    decoder: Decoder, grid_BNC: Tensor, pooled_BP: Tensor, config: BeamConfig
) -> list[tuple[list[int], float]]:
    """The best sentence of each photo and the mean log probability of its words.

    A photo's result does not depend on the others in the batch.
    """
    photos, width = len(grid_BNC), config.width
    keys, values, state = _for_each_hypothesis(decoder, grid_BNC, pooled_BP, width)
    rows = torch.arange(photos, device=grid_BNC.device)[:, None] * width
    words = torch.full((photos * width, 1), config.start, device=grid_BNC.device)
    # At first all hypotheses of a photo are equal: only one of them may branch.
    totals = torch.full((photos, width), float("-inf"), device=grid_BNC.device)
    totals[:, 0] = 0.0
    done = torch.zeros(photos * width, dtype=torch.bool, device=grid_BNC.device)
    lengths = torch.zeros(photos * width, device=grid_BNC.device)
    for _ in range(config.max_words):
        logits, state = decoder.step(words[:, -1:], keys, values, state)
        gains = _gains(logits[:, -1], done, config)
        grown = (totals.view(-1, 1) + gains).view(photos, width, -1)
        # Compare by what each would score if it stopped here, so that short ones do not win.
        longer = (lengths + ~done).view(photos, width, 1) ** config.length_power
        best = (grown / longer).flatten(1).topk(width, dim=1).indices
        totals = grown.flatten(1).gather(1, best)
        parents = (rows + best // grown.shape[-1]).flatten()
        chosen = (best % grown.shape[-1]).flatten()
        lengths = (lengths + ~done)[parents]
        done = done[parents] | (chosen == config.end)
        words = torch.cat([words[parents], chosen[:, None]], dim=1)
        state = (state[0][:, parents], state[1][:, parents])
        if done.all():
            break
    return _best(words, totals, lengths, config)


def _for_each_hypothesis(
    decoder: Decoder, grid_BNC: Tensor, pooled_BP: Tensor, width: int
) -> tuple[Tensor, Tensor, State]:
    keys, values, (hidden, cell) = decoder.look(grid_BNC, pooled_BP)
    keys, values = (part.repeat_interleave(width, dim=0) for part in (keys, values))
    state = (hidden.repeat_interleave(width, dim=1), cell.repeat_interleave(width, dim=1))
    return keys, values, state


def _gains(logits: Tensor, done: Tensor, config: BeamConfig) -> Tensor:
    """Log probability of each next word; a finished hypothesis only repeats its end, for free."""
    logits[:, list(config.forbidden)] = float("-inf")
    gains = torch.log_softmax(logits, dim=-1)
    gains[done] = float("-inf")
    gains[done, config.end] = 0.0
    return gains


def _best(
    words: Tensor, totals: Tensor, lengths: Tensor, config: BeamConfig
) -> list[tuple[list[int], float]]:
    photos, width = totals.shape
    lengths = lengths.view(photos, width)
    first = (totals / lengths**config.length_power).argmax(dim=1)
    found = []
    for photo, row in enumerate(first.tolist()):
        sentence = words[photo * width + row, 1:].tolist()
        if config.end in sentence:
            sentence = sentence[: sentence.index(config.end)]
        found.append((sentence, float(totals[photo, row] / lengths[photo, row])))
    return found
