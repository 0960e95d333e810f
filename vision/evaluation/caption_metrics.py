"""BLEU-1..4, ROUGE-L and CIDEr-D of captions, each between 0 and 1 (CIDEr-D up to 10).

All take one candidate and several references a photo, as lists of words (`vision.words`), and
follow coco-caption (Chen et al. 2015, arXiv:1504.00325), so figures compare with published ones up
to the tokenizer.
"""

import math
from collections import Counter
from collections.abc import Sequence

Words = Sequence[str]
Ngrams = Counter[tuple[str, ...]]
Vector = dict[tuple[str, ...], float]

MAX_N = 4
ROUGE_BETA = 1.2
CIDER_SIGMA = 6.0


def bleu(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[float]:
    """Corpus BLEU-1..4 with the brevity penalty against the closest reference length.

    Source: Papineni et al. 2002. No smoothing: without a common n-gram BLEU-n is 0.
    """
    matched, proposed = [0] * MAX_N, [0] * MAX_N
    length = closest = 0
    for candidate, own in zip(candidates, references, strict=True):
        length += len(candidate)
        closest += min((abs(len(r) - len(candidate)), len(r)) for r in own)[1]
        for n in range(1, MAX_N + 1):
            counts = ngrams(candidate, n)
            most: Ngrams = Counter()
            for reference in own:
                most |= ngrams(reference, n)
            matched[n - 1] += (counts & most).total()
            proposed[n - 1] += counts.total()
    penalty = 1.0 if length >= closest else math.exp(1 - closest / length) if length else 0.0
    precisions = [m / p if p else 0.0 for m, p in zip(matched, proposed, strict=True)]
    return [penalty * _geometric_mean(precisions[:n]) for n in range(1, MAX_N + 1)]


def rouge_l(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """Mean over photos of the F-measure of longest common subsequences. Source: Lin 2004."""
    scores = [_rouge_l(c, own) for c, own in zip(candidates, references, strict=True)]
    return sum(scores) / len(scores) if scores else 0.0


def cider_d(
    candidates: Sequence[Words], references: Sequence[Sequence[Words]]
) -> tuple[float, list[float]]:
    """CIDEr-D over all photos and of each. Source: Vedantam et al. 2015, with clipping, sigma 6.

    How rare an n-gram is, is taken from the references of these photos.
    """
    rarity = _Rarity(references)
    scores = [
        10.0 * sum(rarity.similarity(candidate, reference) for reference in own) / len(own)
        for candidate, own in zip(candidates, references, strict=True)
    ]
    return (sum(scores) / len(scores) if scores else 0.0), scores


def ngrams(words: Words, n: int) -> Ngrams:
    """How often each run of `n` words occurs."""
    return Counter(tuple(words[start : start + n]) for start in range(len(words) - n + 1))


class _Rarity:
    """tf-idf vectors of sentences, where a photo's references are one document."""

    def __init__(self, references: Sequence[Sequence[Words]]) -> None:
        self.photos_with: Ngrams = Counter()
        for own in references:
            present = {gram for r in own for n in range(1, MAX_N + 1) for gram in ngrams(r, n)}
            self.photos_with.update(present)
        self.log_photos = math.log(max(1, len(references)))

    def similarity(self, candidate: Words, reference: Words) -> float:
        """Mean over n of the clipped cosine, damped by the difference in length."""
        # coco-caption counts bigrams for the length; both sides lose one, so words do as well.
        damping = math.exp(-((len(candidate) - len(reference)) ** 2) / (2 * CIDER_SIGMA**2))
        cosines = [
            _clipped_cosine(self._vector(candidate, n), self._vector(reference, n))
            for n in range(1, MAX_N + 1)
        ]
        return damping * sum(cosines) / MAX_N

    def _vector(self, words: Words, n: int) -> Vector:
        return {
            gram: count * (self.log_photos - math.log(max(1, self.photos_with[gram])))
            for gram, count in ngrams(words, n).items()
        }


def _clipped_cosine(candidate: Vector, reference: Vector) -> float:
    common = sum(
        min(weight, reference[gram]) * reference[gram]
        for gram, weight in candidate.items()
        if gram in reference
    )
    norms = math.hypot(*candidate.values()) * math.hypot(*reference.values())
    return common / norms if norms else 0.0


def _rouge_l(candidate: Words, references: Sequence[Words]) -> float:
    common = [_longest_common(candidate, reference) for reference in references]
    precision = max(c / max(1, len(candidate)) for c in common)
    recall = max(c / max(1, len(r)) for c, r in zip(common, references, strict=True))
    if not precision or not recall:
        return 0.0
    beta2 = ROUGE_BETA**2
    return (1 + beta2) * precision * recall / (recall + beta2 * precision)


def _longest_common(a: Words, b: Words) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for word in a:
        before = 0
        for place, other in enumerate(b, start=1):
            before, row[place] = (
                row[place],
                (before + 1 if word == other else max(row[place], row[place - 1])),
            )
    return row[-1]


def _geometric_mean(values: Sequence[float]) -> float:
    if not all(values):
        return 0.0
    return math.exp(sum(math.log(value) for value in values) / len(values))
