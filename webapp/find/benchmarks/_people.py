"""Simulated people who search a simulated library, and whose taste is known.

A query has candidates, of which some show what was asked for. Signals see that as real ones do:
often, and not always. Of the photos that show it a person has one in mind, chosen by taste. They
look at the places one after the other ever more seldom and open the one they meant, sometimes
another that fits, and now and then one by mistake: the position-based click model.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from search.query import Query
from search.rank import Hit, Signal, rank
from search.ranker.features import Facts, Matrix, describe
from search.ranker.log import Log, Shown
from search.ranker.network import Floats

CANDIDATES, FITTING = 40, 12  # photos of a query, and how many of them show what it asks for
SHOWN = 30
EXPONENT = 1.0  # of 1 / place: the probability that a place is looked at
OPENS_MEANT, OPENS_FITTING, OPENS_OTHER = 0.95, 0.05, 0.01
WORDS = 2
# Log-odds of a word in the tags, caption or name (`search.signals.TRUST`), and how probable it is
# to stand there: on a photo that shows it, and on another one.
SAYS = {"tags": (4.7, 0.6, 0.04), "caption": (1.5, 0.5, 0.06), "name": (4.7, 0.05, 0.005)}


@dataclass(frozen=True)
class Taste:
    """What somebody likes: by how much each feature of a photo raises the log-odds that they have
    it in mind. Without any they open whatever they look at, at random."""

    name: str
    likes: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_random(self) -> bool:
        return not self.likes


TASTES = (
    Taste("favourites and recent ones", {"favourite": 2.5, "of this year": 2.5}),
    Taste("words over look", {"signal caption": 2.0, "screenshot": -3.0}),
    Taste("old ones with a place", {"age": 2.5, "place": 2.0, "portrait": -1.0}),
)
RANDOM = Taste("random")


@dataclass(frozen=True)
class Asked:
    """One query: its hits in the fused order, their features and the photo that was meant."""

    key: str
    hits: list[Hit]
    facts: dict[int, Facts]
    names: tuple[str, ...]
    values: Matrix
    fitting: frozenset[int]
    meant: int  # place in the fused order


def ask(taste: Taste, generator: np.random.Generator) -> Asked:
    fits = {photo: photo < FITTING for photo in range(CANDIDATES)}
    facts = {photo: _facts(generator) for photo in fits}
    hits = rank(Query("two words"), _signals(fits, generator), CANDIDATES)
    names, values = describe(hits, facts, best=hits[0].score, words=WORDS)
    fitting = frozenset(at for at, hit in enumerate(hits) if fits[hit.photo_id])
    liked = sum(w * values[:, names.index(n)] for n, w in taste.likes.items()) + np.zeros(len(hits))
    liked[[at for at in range(len(hits)) if at not in fitting]] = -np.inf
    chance = np.exp(liked - liked.max())
    meant = int(generator.choice(len(hits), p=chance / chance.sum()))
    key = hashlib.sha256(generator.bytes(16)).hexdigest()
    return Asked(key, hits, facts, tuple(names), values, fitting, meant)


def searches(taste: Taste, count: int, generator: np.random.Generator) -> Log:
    """What the log holds after somebody has searched `count` times, always in the fused order."""
    lists = [_searched(ask(taste, generator), taste, generator) for _ in range(count)]
    return Log(lists[0][0], [each[1] for each in lists])


def asked(taste: Taste, count: int, seed: int) -> Iterator[Asked]:
    generator = np.random.default_rng(seed)
    return (ask(taste, generator) for _ in range(count))


def _searched(
    query: Asked, taste: Taste, generator: np.random.Generator
) -> tuple[tuple[str, ...], Shown]:
    places = np.arange(SHOWN)
    looks = generator.random(SHOWN) < (1.0 + places) ** -EXPONENT
    opens = generator.random(SHOWN) < _opens(query, taste)
    return query.names, Shown(
        query=query.key,
        values=query.values[:SHOWN],
        places=places,
        gains=(looks & opens).astype(np.float64),
        rejected=np.zeros(SHOWN, bool),
    )


def _opens(query: Asked, taste: Taste) -> Floats:
    """The probability (SHOWN,) that a photo which is looked at is opened."""
    if taste.is_random:
        return np.full(SHOWN, 0.3)
    fitting = [OPENS_FITTING if at in query.fitting else OPENS_OTHER for at in range(SHOWN)]
    fitting[query.meant : query.meant + 1] = [OPENS_MEANT] * (query.meant < SHOWN)
    return np.array(fitting)


def _facts(generator: np.random.Generator) -> Facts:
    return Facts(
        age_days=float(generator.exponential(1_000)),
        is_favourite=bool(generator.random() < 0.15),
        is_screenshot=bool(generator.random() < 0.15),
        is_captioned=bool(generator.random() < 0.03),
        is_portrait=bool(generator.random() < 0.4),
        has_place=bool(generator.random() < 0.5),
        megapixels=float(generator.uniform(1, 24)),
    )


def _signals(fits: Mapping[int, bool], generator: np.random.Generator) -> list[Signal]:
    likeness = {p: float(generator.normal(2.5 if fit else 0.0, 1.5)) for p, fit in fits.items()}
    signals = [Signal("embedding", likeness, _unsaid)]
    for name, (trust, right, wrong) in SAYS.items():
        words = {p: generator.binomial(WORDS, right if fit else wrong) for p, fit in fits.items()}
        scores = {p: trust * int(number) / WORDS for p, number in words.items() if number}
        signals.append(Signal(name, scores, _unsaid))
    return signals


def _unsaid(_photo_id: int) -> str:
    return ""
