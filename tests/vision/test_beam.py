"""Beam search against trying every sentence."""

from dataclasses import replace
from itertools import pairwise, product

import pytest
import torch

from vision.heads.beam import BeamConfig, Found, beam_search
from vision.heads.gist import Gist, Judge
from vision.heads.polyglot import Photos, PolyglotConfig, PolyglotDecoder

END, START, A, B, C = range(5)
CONFIG = PolyglotConfig(
    {"en": 5},
    grid=6,
    cells=4,
    pooled=4,
    stride16=2,
    classes=3,
    word=8,
    hidden=8,
    summary=8,
    attention=8,
)


@pytest.fixture(scope="module")
def decoder() -> PolyglotDecoder:
    torch.manual_seed(5)
    decoder = PolyglotDecoder(CONFIG).eval()
    with torch.no_grad():
        for weight in decoder.parameters():
            weight.mul_(3.0)  # opinions strong enough to differ from word to word
    return decoder


def photos(count: int) -> Photos:
    generator = torch.Generator().manual_seed(11)
    grid = torch.randn(count, CONFIG.cells, CONFIG.grid, generator=generator)
    return Photos(grid, torch.randn(count, 9, generator=generator))


def one(photos: Photos, row: int) -> Photos:
    return Photos(photos.grid[row : row + 1], photos.whole[row : row + 1])


def search(decoder: PolyglotDecoder, photos: Photos, config: BeamConfig) -> list[Found]:
    with torch.inference_mode():
        return beam_search(decoder.speaker("en"), decoder.look(photos), config)


@torch.inference_mode()
def log_probabilities(decoder: PolyglotDecoder, photo: Photos, words: list[int]) -> list[float]:
    """Of each of `words`, START being impossible."""
    before = torch.tensor([[START, *words[:-1]]])
    logits = decoder.read(before, decoder.look(photo), "en")
    logits[..., START] = float("-inf")
    gains = torch.log_softmax(logits[0], dim=-1)
    return gains[range(len(words)), words].tolist()


def every_sentence(most: int) -> list[list[int]]:
    """All sentences of at most `most` words with the end, or `most` words without one."""
    whole = [[*s, END] for n in range(most) for s in product((A, B, C), repeat=n)]
    return whole + [list(s) for s in product((A, B, C), repeat=most)]


def test_a_judge_has_a_say_among_all_sentences(decoder: PolyglotDecoder) -> None:
    torch.manual_seed(2)
    gist, all_photos = Gist(5, special=A, dim=4).requires_grad_(False), photos(4)
    torch.nn.init.normal_(gist.vectors)
    judge = Judge(gist, torch.nn.functional.normalize(torch.randn(4, 4), dim=-1), weight=3.0)
    config = BeamConfig(start=START, forbidden=(START,), width=60, max_words=3)
    with torch.inference_mode():
        looked = decoder.look(all_photos)
        found = beam_search(decoder.speaker("en"), looked, config, judge=judge)
    unjudged = search(decoder, all_photos, config)
    for row, (words, _) in enumerate(found):
        scores = {}
        for sentence in every_sentence(3):
            likely = sum(log_probabilities(decoder, one(all_photos, row), sentence))
            fit = judge.scores(torch.tensor([[sentence]]), torch.tensor([row])).item()
            scores[tuple(sentence)] = likely / len(sentence) ** config.length_power + fit
        best = max(scores, key=lambda sentence: scores[sentence])
        assert words == [word for word in best if word != END]
    assert any(words != plain for (words, _), (plain, _) in zip(found, unjudged, strict=True))


@pytest.mark.parametrize("power", [0.0, 0.8])
def test_a_wide_beam_finds_what_trying_everything_finds(
    decoder: PolyglotDecoder, power: float
) -> None:
    config = BeamConfig(start=START, forbidden=(START,), width=60, max_words=3, length_power=power)
    all_photos = photos(4)
    for row, (words, gains) in enumerate(search(decoder, all_photos, config)):
        photo = one(all_photos, row)
        scores = {tuple(s): sum(log_probabilities(decoder, photo, s)) for s in every_sentence(3)}
        best = max(scores, key=lambda s: scores[s] / len(s) ** power)
        assert words == [word for word in best if word != END]
        assert gains == pytest.approx(log_probabilities(decoder, photo, list(best)), abs=1e-4)


def test_a_beam_of_one_takes_the_likeliest_word_each_time(decoder: PolyglotDecoder) -> None:
    config = BeamConfig(start=START, forbidden=(START,), width=1, max_words=4)
    photo = photos(1)
    words: list[int] = []
    while len(words) < 4 and (not words or words[-1] != END):
        choices = {
            word: log_probabilities(decoder, photo, [*words, word])[-1] for word in (END, A, B, C)
        }
        words.append(max(choices, key=choices.__getitem__))
    ((found, _),) = search(decoder, photo, config)
    assert found == [word for word in words if word != END]


def test_photos_do_not_disturb_each_other(decoder: PolyglotDecoder) -> None:
    config = BeamConfig(start=START, forbidden=(START,), width=3, max_words=6)
    all_photos = photos(9)
    for row, (words, gains) in enumerate(search(decoder, all_photos, config)):
        ((alone, alone_gains),) = search(decoder, one(all_photos, row), config)
        assert words == alone
        assert gains == pytest.approx(alone_gains, abs=1e-5)


def test_forbidden_words_are_never_said(decoder: PolyglotDecoder) -> None:
    config = BeamConfig(start=START, forbidden=(START, A), width=3, max_words=6)
    said = {word for words, _ in search(decoder, photos(9), config) for word in words}
    assert not said & {START, A, END}


def test_no_run_of_words_occurs_twice(decoder: PolyglotDecoder) -> None:
    free = BeamConfig(start=START, forbidden=(START,), width=3, max_words=12, length_power=2.0)
    pairs = [list(pairwise(words)) for words, _ in search(decoder, photos(9), free)]
    assert any(len(set(own)) < len(own) for own in pairs)  # left alone, it repeats itself
    blocked = [
        list(pairwise(words))
        for words, _ in search(decoder, photos(9), replace(free, unrepeated=2))
    ]
    assert all(len(set(own)) == len(own) for own in blocked)


def test_no_sentence_ends_in_a_word_that_nothing_may_end_in(decoder: PolyglotDecoder) -> None:
    free = BeamConfig(start=START, forbidden=(START,), width=3, max_words=5)
    last = {words[-1] for words, _ in search(decoder, photos(9), free) if words}
    for word in last:
        ended = search(decoder, photos(9), replace(free, unfinal=(word,)))
        assert all(words[-1] != word for words, _ in ended if words)


def test_a_photo_is_let_go_early_only_when_nothing_can_change(decoder: PolyglotDecoder) -> None:
    config = BeamConfig(start=START, forbidden=(START,), width=4, max_words=9)
    patient = [_without_letting_go(decoder, one(photos(9), row), config) for row in range(9)]
    assert [words for words, _ in search(decoder, photos(9), config)] == patient


def _without_letting_go(decoder: PolyglotDecoder, photo: Photos, config: BeamConfig) -> list[int]:
    """The same search written down plainly, to the last word."""
    beam: list[tuple[list[int], float]] = [([], 0.0)]

    def score(hypothesis: tuple[list[int], float]) -> float:
        return hypothesis[1] / max(1, len(hypothesis[0])) ** config.length_power

    for _ in range(config.max_words):
        grown = [h for h in beam if h[0] and h[0][-1] == END]
        for words, total in (h for h in beam if not h[0] or h[0][-1] != END):
            for word in (END, A, B, C):
                gain = log_probabilities(decoder, photo, [*words, word])[-1]
                grown.append(([*words, word], total + gain))
        beam = sorted(grown, key=score, reverse=True)[: config.width]
    return [word for word in max(beam, key=score)[0] if word != END]
