"""Beam search against trying every sentence."""

from itertools import product

import pytest
import torch

from vision.heads.beam import BeamConfig, beam_search
from vision.heads.captions import CaptionConfig, CaptionDecoder

END, START, A, B, C = range(5)
CONFIG = CaptionConfig(vocabulary=5, grid=6, cells=4, pooled=7, word=8, hidden=8, attention=8)


@pytest.fixture(scope="module")
def decoder() -> CaptionDecoder:
    torch.manual_seed(5)
    decoder = CaptionDecoder(CONFIG).eval()
    with torch.no_grad():
        for weight in decoder.parameters():
            weight.mul_(3.0)  # opinions strong enough to differ from word to word
    return decoder


def photos(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(11)
    grid = torch.randn(count, CONFIG.cells, CONFIG.grid, generator=generator)
    return grid, torch.randn(count, CONFIG.pooled, generator=generator)


@torch.inference_mode()
def log_probability(
    decoder: CaptionDecoder, grid: torch.Tensor, pooled: torch.Tensor, words: list[int]
) -> float:
    """Sum over `words` of the log probability of each, START being impossible."""
    before = torch.tensor([[START, *words[:-1]]])
    logits, _ = decoder.step(before, *decoder.look(grid[None], pooled[None]))
    logits[..., START] = float("-inf")
    gains = torch.log_softmax(logits[0], dim=-1)
    return float(gains[range(len(words)), words].sum())


def every_sentence(most: int) -> list[list[int]]:
    """All sentences of at most `most` words with the end, or `most` words without one."""
    whole = [[*s, END] for n in range(most) for s in product((A, B, C), repeat=n)]
    return whole + [list(s) for s in product((A, B, C), repeat=most)]


@pytest.mark.parametrize("power", [0.0, 0.8])
def test_a_wide_beam_finds_what_trying_everything_finds(
    decoder: CaptionDecoder, power: float
) -> None:
    config = BeamConfig(start=START, forbidden=(START,), width=60, max_words=3, length_power=power)
    grids, pooled = photos(4)
    for grid, pool, (words, mean) in zip(
        grids, pooled, beam_search(decoder, grids, pooled, config), strict=True
    ):
        scores = {tuple(s): log_probability(decoder, grid, pool, s) for s in every_sentence(3)}
        best = max(scores, key=lambda s: scores[s] / len(s) ** power)
        assert words == [word for word in best if word != END]
        assert mean == pytest.approx(scores[best] / len(best), abs=1e-4)


def test_a_beam_of_one_takes_the_likeliest_word_each_time(decoder: CaptionDecoder) -> None:
    config = BeamConfig(start=START, forbidden=(START,), width=1, max_words=4)
    grids, pooled = photos(1)
    words: list[int] = []
    while len(words) < 4 and (not words or words[-1] != END):
        choices = {
            word: log_probability(decoder, grids[0], pooled[0], [*words, word])
            for word in (END, A, B, C)
        }
        words.append(max(choices, key=choices.__getitem__))
    ((found, _),) = beam_search(decoder, grids, pooled, config)
    assert found == [word for word in words if word != END]


def test_photos_do_not_disturb_each_other(decoder: CaptionDecoder) -> None:
    config = BeamConfig(start=START, forbidden=(START,), width=3, max_words=6)
    grids, pooled = photos(9)
    together = beam_search(decoder, grids, pooled, config)
    for row, (words, mean) in enumerate(together):
        rows = slice(row, row + 1)
        ((alone, alone_mean),) = beam_search(decoder, grids[rows], pooled[rows], config)
        assert words == alone
        assert mean == pytest.approx(alone_mean, abs=1e-5)


def test_forbidden_words_are_never_said(decoder: CaptionDecoder) -> None:
    config = BeamConfig(start=START, forbidden=(START, A), width=3, max_words=6)
    grids, pooled = photos(9)
    said = {word for words, _ in beam_search(decoder, grids, pooled, config) for word in words}
    assert not said & {START, A, END}
