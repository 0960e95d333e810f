"""Caption metrics against hand-computed values and naive versions."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.evaluation.caption_metrics import _longest_common, bleu, cider_d, rouge_l
from vision.words import words_of

sentences = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=1, max_size=7)


def test_words_drop_case_and_punctuation_but_keep_inner_apostrophes() -> None:
    assert words_of("A man's T-shirt, red .") == ["a", "man's", "t-shirt", "red"]


def test_bleu_of_a_copy_is_one() -> None:
    caption = words_of("two dogs run on the beach")
    assert bleu([caption], [[caption]]) == pytest.approx([1.0] * 4)


def test_bleu_follows_the_paper_of_papineni() -> None:
    # "the" occurs at most twice in one reference: 2 of 7 words count.
    candidate = ["the"] * 7
    references = [words_of("the cat is on the mat"), words_of("there is a cat on the mat")]
    assert bleu([candidate], [references])[0] == pytest.approx(2 / 7)


def test_bleu_punishes_brevity_against_the_closest_reference() -> None:
    # All of both words are right; references of 3 and 6 words, the closest has 3.
    references = [words_of("a black dog"), words_of("a black dog in the snow")]
    assert bleu([["a", "black"]], [references])[0] == pytest.approx(math.exp(1 - 3 / 2))


def test_bleu_sums_over_the_corpus_before_dividing() -> None:
    candidates = [["a", "b"], ["c", "x", "y", "z"]]
    references = [[["a", "b"]], [["c", "d", "e", "f"]]]
    assert bleu(candidates, references)[0] == pytest.approx(3 / 6)
    assert bleu(candidates, references)[1] == pytest.approx(math.sqrt(3 / 6 * 1 / 4))


def test_bleu_without_a_common_ngram_is_zero() -> None:
    assert bleu([["a", "b"]], [[["b", "a"]]]) == [1.0, 0.0, 0.0, 0.0]
    assert bleu([[]], [[["a"]]]) == [0.0] * 4


def test_rouge_l_by_hand() -> None:
    # Longest common subsequence of "a b c d" and "a x c" is "a c": P 2/4, R 2/3.
    precision, recall, beta2 = 2 / 4, 2 / 3, 1.2**2
    expected = (1 + beta2) * precision * recall / (recall + beta2 * precision)
    assert rouge_l([list("abcd")], [[list("axc")]]) == pytest.approx(expected)


@given(sentences, sentences)
def test_longest_common_subsequence_equals_trying_them_all(a: list[str], b: list[str]) -> None:
    def subsequences(words: list[str], size: int) -> set[tuple[str, ...]]:
        return set(combinations(words, size))

    naive = max(n for n in range(len(a) + 1) if subsequences(a, n) & subsequences(b, n))
    assert _longest_common(a, b) == naive


def test_cider_d_of_copies_is_ten() -> None:
    references = [[words_of("a red car on the road")], [words_of("two dogs in the deep snow")]]
    mean, each = cider_d([own[0] for own in references], references)
    assert each == pytest.approx([10.0, 10.0])
    assert mean == pytest.approx(10.0)


def test_cider_d_gives_nothing_for_words_that_every_photo_shares() -> None:
    references = [[["a", "dog"]], [["a", "cat"]]]
    _, (first, second) = cider_d([["a"], ["a", "cat"]], references)
    assert first == 0.0
    # Unigrams and bigrams of the second agree fully, there are no longer ones: 10 * 2 / 4.
    assert second == pytest.approx(5.0)


@given(st.lists(st.tuples(sentences, st.lists(sentences, min_size=1, max_size=3)), min_size=1))
def test_cider_d_equals_a_naive_version(photos: list[tuple[list[str], list[list[str]]]]) -> None:
    candidates, references = [c for c, _ in photos], [r for _, r in photos]
    assert cider_d(candidates, references)[1] == pytest.approx(_naive(candidates, references))


def _naive(candidates: list[list[str]], references: list[list[list[str]]]) -> list[float]:
    """CIDEr-D written down from the paper with dense vectors."""

    def grams(words: list[str], n: int) -> list[tuple[str, ...]]:
        return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]

    def vector(words: list[str], n: int, axes: list[tuple[str, ...]]) -> list[float]:
        found = grams(words, n)
        return [
            found.count(axis)
            * math.log(len(references) / max(1, sum(_has(own, n, axis) for own in references)))
            for axis in axes
        ]

    def _has(own: list[list[str]], n: int, axis: tuple[str, ...]) -> bool:
        return any(axis in grams(reference, n) for reference in own)

    scores = []
    for candidate, own in zip(candidates, references, strict=True):
        total = 0.0
        for n in range(1, 5):
            for reference in own:
                axes = sorted({*grams(candidate, n), *grams(reference, n)})
                c, r = vector(candidate, n, axes), vector(reference, n, axes)
                norms = math.sqrt(sum(x * x for x in c)) * math.sqrt(sum(x * x for x in r))
                dot = sum(min(x, y) * y for x, y in zip(c, r, strict=True))
                damping = math.exp(-((len(candidate) - len(reference)) ** 2) / 72)
                total += damping * dot / norms / 4 / len(own) * 10 if norms else 0.0
        scores.append(total)
    return scores


# Captions, and what pycocoevalcap 1.2 (PyPI; the code of coco-caption) says of them.
PUBLISHED = {
    "a brown dog runs through the grass": [
        "a brown dog is running through tall grass",
        "the dog runs in a green field",
        "a dog runs through the grass with a ball",
    ],
    "two men are standing on a beach": [
        "two men stand on the beach near the water",
        "a couple of men look at the sea",
        "two people walk along the shore",
    ],
    "a man in a red shirt is riding a bike": [
        "a cyclist in red rides down a hill",
        "a man in a red shirt rides his bike",
        "a man is riding a mountain bike on a trail",
    ],
    "a girl is playing with a ball a ball": [
        "a little girl kicks a ball",
        "a girl plays with a ball in the park",
        "a young girl in a blue dress plays",
    ],
    "children": [
        "a group of children play in the snow",
        "children are playing outside",
        "three kids in winter clothes throw snowballs",
    ],
}


def test_figures_equal_those_of_the_published_implementation() -> None:
    candidates = [words_of(caption) for caption in PUBLISHED]
    references = [[words_of(text) for text in own] for own in PUBLISHED.values()]
    assert bleu(candidates, references) == pytest.approx(
        [0.7764837655, 0.6551161180, 0.5449834018, 0.4366047441], abs=1e-8
    )
    assert rouge_l(candidates, references) == pytest.approx(0.5886911381, abs=1e-8)
    mean, each = cider_d(candidates, references)
    assert mean == pytest.approx(1.7751103378, abs=1e-8)
    assert each == pytest.approx(
        [3.4077691008, 0.8757149302, 2.9028654096, 1.1194792032, 0.5697230455], abs=1e-8
    )
