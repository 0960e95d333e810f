"""What makes a version unfit whatever anybody says: no numbers, one answer to everything, answers
that have nothing to do with the photos. Each check gives a sentence, or nothing."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from webapp.teach.judging.bootstrap import interval
from webapp.teach.judging.measures import overlap, ranks
from webapp.teach.judging.seen import SeenBy

ENOUGH = 20  # photos; of fewer nobody can say that a version answers everything alike
NEARLY_RIGHT = 0.9  # of the way from guessing to always right
NORM_WITHIN = 0.05
LEAST_SPREAD = 0.05  # 1 less the mean cosine of two photos; the shipped version's is about 0.75
OF_SPREAD = 0.25  # of the active version's
SAME_SHARE = 0.9  # photos with the very same answer
USUAL_SHARE = 0.6  # up to which the active version's commonest answer shows that others exist
SOME_SHARE = 0.3  # photos about which the active version says something
TRIES = 20  # shuffled pairings
SENTENCES = ("two dogs on the beach", "a receipt", "people at a wedding", "a red car in the snow")


def unsound(old: SeenBy, new: SeenBy, metrics: object) -> list[str]:
    """Why `new` must never be put to work; empty if nothing is wrong."""
    if said := no_numbers(new.embeddings, new.tags):
        return [said]
    if said := _no_sentences(new):
        return [said]
    found = [*_untaught(metrics)]
    if len(new) >= ENOUGH:
        found += filter(None, (check(old, new) for check in _CHECKS))
    return found


def no_numbers(embeddings: ArrayLike, tags: Sequence[Mapping[str, float]]) -> str:
    """What is wrong with the figures themselves."""
    sure = [probability for each in tags for probability in each.values()]
    norms = np.linalg.norm(np.asarray(embeddings, np.float32), axis=-1)
    if not np.isfinite(norms).all() or not np.isfinite(sure).all():
        return "It gives results that are not numbers (NaN)."
    if len(norms) and np.abs(norms - 1.0).max() > NORM_WITHIN:
        return "Its embeddings have no unit length, so search cannot compare them."
    if sure and not 0.0 <= min(sure) <= max(sure) <= 1.0:
        return "Its tags have probabilities outside 0 to 1."
    return ""


def _no_sentences(new: SeenBy) -> str:
    """What is wrong with how it understands what is searched for."""
    vectors = new.queries(SENTENCES)
    norms = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(norms).all() or np.abs(norms - 1.0).max() > NORM_WITHIN:
        return "What is searched for becomes no usable numbers in it."
    if (vectors @ vectors.T).min() > 1.0 - LEAST_SPREAD / 10:
        return "Whatever is searched for is the same to it."
    return ""


def _untaught(metrics: object) -> Iterator[str]:
    """By what its own training measured on held-out data: no better than guessing."""
    for each in _measured(metrics):
        noise = 2.0 * (max(each.chance * (1.0 - each.chance), 1e-6) / each.n) ** 0.5
        # Of four photos of two classes even all right would be within noise: with so few, a figure
        # this near to always right counts as learnt.
        noise = min(noise, NEARLY_RIGHT * (1.0 - each.chance))
        if each.value <= each.chance + noise:
            yield (
                f"On the photos that its training held out, {each.name} is no better than guessing "
                f"({each.value:.0%} right, {each.chance:.0%} by chance): it learnt nothing, as if "
                "its labels had been shuffled."
            )


@dataclass(frozen=True)
class _Measured:
    """A share of `n` held-out photos, and what guessing would reach."""

    name: str
    value: float
    chance: float
    n: int


def _measured(metrics: object) -> list[_Measured]:
    """What a version's metrics say about itself, as far as they are what they should be."""
    stated: list[tuple[str, Any, Any, Any]] = [
        (name, figure.get("value"), figure.get("chance"), figure.get("n"))
        for name, figure in _entries(metrics, "evaluation")
    ]
    stated += [
        (name, figure.get("top1"), _commonest(figure), figure.get("photos"))
        for name, figure in _entries(metrics, "classifiers")
    ]
    return [
        _Measured(name[:80], float(value), float(chance), int(n))
        for name, value, chance, n in stated
        if all(isinstance(each, int | float) for each in (value, chance, n)) and n >= 1
    ]


def _entries(metrics: object, key: str) -> list[tuple[str, dict[str, Any]]]:
    inner = metrics.get(key) if isinstance(metrics, dict) else None
    found = inner.items() if isinstance(inner, dict) else ()
    return [(str(name), figure) for name, figure in found if isinstance(figure, dict)]


def _commonest(figures: dict[str, Any]) -> float | None:
    """Share of a classifier's commonest class: who always says it is right so often."""
    rows = [row.get("photos", 0) for _, row in _entries(figures, "by_class")]
    return max(rows) / sum(rows) if rows and sum(rows) else None


def _one_embedding(old: SeenBy, new: SeenBy) -> str:
    spread = _spread(new)
    if spread < LEAST_SPREAD and spread < OF_SPREAD * _spread(old):
        return "All photos look nearly the same to it: its embeddings have collapsed."
    return ""


def _spread(seen: SeenBy) -> float:
    total = seen.embeddings.sum(axis=0)
    n = len(seen)
    return float(1.0 - (total @ total - n) / (n * (n - 1)))


def _one_tag(old: SeenBy, new: SeenBy) -> str:
    return _one_answer(old.named, new.named, "tags")


def _one_caption(old: SeenBy, new: SeenBy) -> str:
    return _one_answer(old.words, new.words, "caption")


def _one_answer(old: Sequence[frozenset[str]], new: Sequence[frozenset[str]], what: str) -> str:
    speaks = np.mean([bool(each) for each in old])
    if not any(new):
        return f"It gives no photo any {what}." if speaks >= SOME_SHARE else ""
    (same, number), *_ = Counter(each for each in new if each).most_common(1)
    if number < SAME_SHARE * len(new):
        return ""
    usual = max(Counter(each for each in old if each).values(), default=0)
    if usual > USUAL_SHARE * len(old):
        return ""
    words = ", ".join(sorted(same))
    return f"It gives nearly every photo the same {what} ({words}): it has collapsed to one class."


def _tags_at_random(old: SeenBy, new: SeenBy) -> str:
    return _at_random(old.named, new.named, "tags")


def _captions_at_random(old: SeenBy, new: SeenBy) -> str:
    return _at_random(old.words, new.words, "captions")


def _at_random(old: Sequence[frozenset[str]], new: Sequence[frozenset[str]], what: str) -> str:
    """Whether what it says of a photo fits that photo no better than any other one."""
    both = [row for row in range(len(new)) if old[row] and new[row]]
    common = frozenset().union(*old) & frozenset().union(*new)
    if len(both) < ENOUGH or not common:
        return ""  # other words altogether say nothing about being right
    chance = np.random.default_rng(0)
    own = np.array([overlap(old[row], new[row]) for row in both])
    others = np.zeros(len(both))
    for _ in range(TRIES):
        pairs = zip(both, chance.permutation(both), strict=True)
        others += [overlap(old[row], new[other]) for row, other in pairs]
    if own.mean() >= 0.999 or interval(own - others / TRIES).low > 0:
        return ""
    return (
        f"Its {what} have nothing to do with the photos that they are on, as if it had been "
        "trained on shuffled labels."
    )


def _blind(old: SeenBy, new: SeenBy) -> str:
    """Whether texts find their photos no better than any others."""
    said = {pk: text for pk, text in zip(old.photo_ids, old.captions, strict=True) if text}
    if len(said) < ENOUGH:
        return ""
    n = len(new)
    by_chance = float((1.0 / np.arange(1, n + 1)).mean())
    if interval(ranks(old, said) - by_chance).low <= 0:
        return ""  # these texts find nothing for anybody
    if interval(ranks(new, said) - by_chance).low > 0:
        return ""
    return (
        "What is searched for finds photos no better than by chance, as if it had been trained on "
        "shuffled labels."
    )


_CHECKS: tuple[Callable[[SeenBy, SeenBy], str], ...] = (
    _one_embedding, _one_tag, _one_caption, _tags_at_random, _captions_at_random, _blind,
)  # fmt: skip
