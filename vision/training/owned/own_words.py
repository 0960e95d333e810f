"""Lines for words that people made, from a handful of photos that got each.

The line is Fisher's: from the middle of the library to the middle of the photos that got the word,
turned away from directions in which all photos vary anyway. It reads the features of the backbone
beside the embedding, which knows less of how a single thing looks. Photos that were refused the
word, or that got another word of this kind instead and are like these, push it away. From where on
it is said lies between how far photos of the library scatter along the line and how far those lie
out that got the word, each judged by the line of the others; so a few photos may be marked of many
that show the thing. What is on a tenth of all photos or more is no outlier; of that, most must be
marked for the line to be believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vision.heads.word_model import WordModel

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

# The space. Of the mean variance: directions with less are not blown up, since few photos know
# them badly.
FLOOR = 0.1

# The line. How strongly photos that are not the thing push it away, and how far out they must be
# to push at all, 1 being as far out as those that got it: others have nothing to say of it.
PUSH = 0.3
NEAR = 0.3

# The unit of distances along it, SCATTER ** 0.7 * GOT ** 0.3: how far the library scatters, and how
# far out those lie that got it.
GOT_SHARE = 0.3
# The scatter is of what is not said: of photos within INSIDE of how far out those usually lie that
# got it. What is said depends on the scatter again, so it is sought in rounds.
INSIDE = 0.8
ROUNDS = 10

# Where it is said: from FAR units on. Of photos that do not show it, about exp(CHANCE - distance)
# lie as far out, or fewer. Where MANY photos do, nearer ones are said as well, down to NEAREST,
# while no more than a share of WRONG of them should be of these.
# Of 55 things of Caltech-101's training photos, six of each marked, among 2,800 others: of ten
# photos each 96 of 100 said are right and 47 of 100 others found, of thirty 97 and 44.
FAR = 6.6
CHANCE = -3.6
MANY = 15
WRONG = 0.1
NEAREST = 3.0

# Whether it is said at all. A thing whose photos lie less far out, each by the line of the others,
# is not one that a line tells: of 25 things in 3,322 photos all but one lie beyond 4, girls, grass
# and running below 2.2.
TIGHT = 3.5
# A thing that so large a share of all photos got is no outlier. It is said all the same from where
# on MOST of those that got it are found, with at most HALF as many others.
MANY_MARKED = 0.1
MOST = 0.6
HALF = 0.5

# Probability where a word is just said, and 2.5 times as far out.
SURE = (0.8, 0.95)


@dataclass(frozen=True, slots=True)
class Looks:
    """What lines read of P photos: embeddings (P, D) and `probe_input` (P, F)."""

    embeddings: Rows
    features: Rows

    def __len__(self) -> int:
        return len(self.embeddings)

    @classmethod
    def join(cls, parts: "Sequence[Looks]") -> "Looks":
        return cls(
            np.concatenate([each.embeddings for each in parts]),
            np.concatenate([each.features for each in parts]),
        )


@dataclass(frozen=True, slots=True)
class OwnLines:
    """For N words: how far out a photo is, 1 where the word is just said: `embedding` (N, D) and
    `features` (N, F) of unit norm, `weights` (N, 3) of bias and both. Words that no line tells, not
    `said` (N,), are unlikely everywhere, so that they lift no broader word."""

    embedding: Rows
    features: Rows
    weights: Rows
    said: NDArray[np.bool_]

    def put_into(self, model: WordModel, numbers: Sequence[int]) -> WordModel:
        """The model, whose words of these numbers follow the lines."""
        rows = list(numbers)
        if not rows:
            return model
        prompts, probe, weights = model.prompts.copy(), model.probe.copy(), model.weights.copy()
        group, knots, values = model.group.copy(), model.knots.copy(), model.values.copy()
        prompts[rows], probe[rows] = self.embedding, self.features
        weights[rows] = self.weights[:, [0, 0, 1, 2]]
        weights[rows, 1] = 0  # no classes
        group[rows] = group[rows[-1]]
        knots[group[rows[-1]]], values[group[rows[-1]]] = _curve(knots.shape[1])
        return replace(
            model, prompts=prompts, probe=probe, weights=weights,
            group=group, knots=knots, values=values,
        )  # fmt: skip


def learn_own_lines(
    spoken: Looks, stated_PN: NDArray[np.int8], library: Looks, *, right: float
) -> OwnLines:
    """Lines for N words of which people said of P photos that they show them (1), do not (-1), or
    nothing (0); `library` are photos of which nobody spoke. `right` of what the lines say of the
    first is to be right."""
    if not stated_PN.shape[1]:
        return OwnLines(
            np.zeros((0, spoken.embeddings.shape[1]), np.float32),
            np.zeros((0, spoken.features.shape[1]), np.float32),
            np.zeros((0, 3), np.float32),
            np.zeros(0, bool),
        )
    space = _Space.of(Looks.join([spoken, library]))
    found = [
        _line(space, stated, _other_word(stated_PN, number), right)
        for number, stated in enumerate(stated_PN.T)
    ]
    plain, moved = space.plain(np.stack([line.weights for line in found]))
    split = spoken.embeddings.shape[1]
    embedding, along_embedding = _unit_rows(plain[:, :split])
    features, along_features = _unit_rows(plain[:, split:])
    bias = np.array([line.bias for line in found]) + moved
    weights = np.stack([bias, along_embedding, along_features], axis=1).astype(np.float32)
    return OwnLines(embedding, features, weights, np.array([line.is_said for line in found]))


def _unit_rows(rows: Floats) -> tuple[Rows, Floats]:
    """Rows of unit norm, and how long they were."""
    length = np.linalg.norm(rows, axis=1)
    return (rows / np.maximum(length, 1e-9)[:, None]).astype(np.float32), length


@dataclass(frozen=True, slots=True)
class _Space:
    """Photos (P, C) about their mean, embedding and features alike long, and each as Fisher's
    discriminant turns it: C is D + F."""

    mean: Floats
    scale: Floats
    photos: Rows
    turn: Floats  # (C, C), the inverse of the covariance

    @classmethod
    def of(cls, looks: Looks) -> "_Space":
        raw = np.concatenate([looks.embeddings, looks.features], axis=1)
        mean = raw.mean(axis=0, dtype=np.float64)
        raw -= mean.astype(np.float32)
        split = looks.embeddings.shape[1]
        scale = np.ones(raw.shape[1])
        for part in (slice(split), slice(split, None)):
            spread = (raw[:, part] ** 2).sum(axis=1).mean()
            scale[part] = 1 / max(np.sqrt(spread), 1e-9)
        raw *= scale.astype(np.float32)
        covariance = (raw.T @ raw).astype(np.float64) / len(raw)
        covariance /= max(np.trace(covariance) / len(covariance), 1e-12)
        covariance[np.diag_indices_from(covariance)] += FLOOR * max(1, raw.shape[1] / len(raw))
        return cls(mean, scale, raw, np.linalg.inv(covariance))

    @property
    def width(self) -> int:
        return len(self.mean)

    def plain(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weights for photos as they are, (N, C), and what is to be added, (N,)."""
        plain = weights * self.scale
        return plain, -plain @ self.mean


@dataclass(frozen=True, slots=True)
class _Line:
    weights: Floats
    bias: float
    is_said: bool


def _line(space: _Space, stated: NDArray[np.int8], other: NDArray[np.bool_], right: float) -> _Line:
    """The line of one word, on photos of the space, the first of which are those stated."""
    given, refused = np.flatnonzero(stated > 0), np.flatnonzero(stated < 0)
    if len(given) < 2 or len(given) == len(space.photos):
        return _nowhere(space)
    got = space.photos[given] @ space.turn  # (n, C)
    near = _near(space, got, given, np.union1d(refused, np.flatnonzero(other)))
    push = PUSH * near.mean(axis=0) @ space.turn if len(near) else np.zeros(space.width)
    weights = got.mean(axis=0) - push
    out = space.photos @ weights
    # Each photo that got it by the line of the others.
    rest = (got.sum(axis=0) - got) / (len(given) - 1) - push
    held_out = (space.photos[given] * rest).sum(axis=1)
    others = np.delete(out, given)
    middle = float(np.median(others))
    held_out, others = held_out - middle, others - middle
    least = _from(held_out, out[refused] - middle, others, right)
    if least is None:
        return _nowhere(space)
    return _Line(weights / least, -middle / least, is_said=True)


def _from(got: Floats, refused: Floats, others: Floats, right: float) -> float | None:
    """How far out photos are said to show it; None where the line does not tell."""
    usual = max(float(got.mean()), 1e-6)
    unit = _unit(others, usual)
    if usual >= TIGHT * unit:
        return _above_refused(unit * _least(others / unit), got, refused, right)
    if len(got) < MANY_MARKED * len(others):
        return None
    return _clear_of_others(got, refused, others, right)


def _clear_of_others(got: Floats, refused: Floats, others: Floats, right: float) -> float | None:
    """Where many of all photos got it: from where on most of them are found and at most half as
    many others, if there is such a place."""
    low = float(np.quantile(got, 1 - MOST))
    for each in sorted({low, *got[got >= low].tolist()}):
        hits, misses = int((got >= each).sum()), int((refused >= each).sum())
        is_clear = (others >= each).sum() <= HALF * len(got)
        if each > 0 and is_clear and hits >= right * (hits + misses):
            return each
    return None


def _nowhere(space: _Space) -> _Line:
    return _Line(np.zeros(space.width), -1.0, is_said=False)


def _near(
    space: _Space, got: Floats, given: NDArray[np.int64], others: NDArray[np.int64]
) -> Floats:
    """Photos that are not the thing, but alike."""
    line = got.mean(axis=0)
    usual = float((space.photos[given] @ line).mean())
    rows = space.photos[others]
    near: Floats = rows[rows @ line > NEAR * usual]
    return near


def _least(distance: Floats) -> float:
    """From which distance on photos are said."""
    ordered = np.sort(distance)[::-1]
    count = np.arange(1, len(ordered) + 1)
    by_chance = len(ordered) * np.exp(CHANCE - ordered)
    good = (by_chance <= WRONG * count) & (count >= MANY) & (ordered >= NEAREST)
    return float(ordered[good].min(initial=FAR))


def _unit(out: Floats, usual: float) -> float:
    """What distances of photos that lie `out` are told in, by the scatter of what is not said. It
    begins with photos on the other side of the middle, as many may show the thing."""
    scatter = float(np.sqrt((np.minimum(out, 0) ** 2).sum() / max((out < 0).sum(), 1)))
    for _ in range(ROUNDS):
        unit = max(scatter, 1e-6) ** (1 - GOT_SHARE) * usual**GOT_SHARE
        scatter = float(out[out < min(FAR * unit, INSIDE * usual)].std())
    return unit


def _above_refused(least: float, got: Floats, refused: Floats, right: float) -> float:
    """Farther out, where people took the word away too often of what would be said."""
    for each in sorted({least, *got[got > least].tolist()}):
        hits, misses = int((got >= each).sum()), int((refused >= each).sum())
        if hits >= right * (hits + misses):
            return each
    return max(least, float(refused.max()) * 1.01)


def _other_word(stated_PN: NDArray[np.int8], number: int) -> NDArray[np.bool_]:
    """Photos (P,) that got another word, and not this one."""
    shows = stated_PN > 0
    others: NDArray[np.bool_] = np.delete(shows, number, axis=1).any(axis=1) & ~shows[:, number]
    return others


def _curve(knots: int) -> tuple[Floats, Floats]:
    """Log-odds by how far out a photo is; one knot lies where the word is just said."""
    low, high = (float(np.log(each / (1 - each))) for each in SURE)
    below = np.linspace(-1, 1, max(knots // 2, 1) + 1)[:-1]
    at = np.concatenate([below, np.linspace(1, 4, knots - len(below))])
    return at, np.interp(at, [-1, 0, 1, 2.5, 4], [-8, -6, low, high, high + 1])
