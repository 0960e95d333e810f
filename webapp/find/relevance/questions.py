"""What the relevance test set asks, and how right each photo is as an answer.

Grades come from what people wrote about photos (`judging`), never from a model:

- of a word, 3 where the photo surely shows it (two captions of several name it, or the only one, or
  a label) and 1 where that is not clear (one caption of several does);
- of a sentence or phrase, 1 to 3 by the share of its words that captions name;
- a photo that does not satisfy what else was asked is worth nothing; where something should not be
  on it, one that surely shows it is worth nothing, and at most 1 where that is not clear.

Captions leave out much of what is there. So some photos graded 0 are right, the same for every
order that is compared.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from search.words import content_words
from vision.vocabulary import broader_words, vocabulary
from webapp.find.relevance.given import ALBUMS, EVENTS, SIGNS, TAGS, Given
from webapp.find.relevance.judging import Judgements
from webapp.find.relevance.measuring import phrases, sentences

MOST = 120  # questions of each group
FEWEST_RIGHT = 2  # photos, of a word under a condition
SURE, UNCLEAR = 3, 1

Grades = Mapping[int, int]  # by photo (its place among all), those above 0


@dataclass(frozen=True)
class Question:
    """A query, its group, and the photos that are right."""

    group: str
    text: str
    grades: Grades


@dataclass(frozen=True)
class Condition:
    """A way to say something that photos are given, with “{}” for what they show."""

    says: str
    holds: Callable[[Given], bool]


CONDITIONS = (
    Condition("{} in 2019", lambda photo: photo.taken_at.year == 2019),
    Condition("{} place:italy", lambda photo: photo.place[2] == "Italy"),
    Condition("{} camera:nikon", lambda photo: photo.camera.startswith("NIKON")),
    Condition("{} before 2017", lambda photo: photo.taken_at.year < 2017),
    Condition(f'{{}} tag:"{TAGS[0]}"', lambda photo: photo.tag == TAGS[0]),
    Condition("{} in Rome", lambda photo: photo.place[0] == "Rome"),
    Condition("{} in the summer", lambda photo: photo.taken_at.month in (6, 7, 8)),
    Condition(f"{{}} album:{ALBUMS[0]}", lambda photo: photo.album == ALBUMS[0]),
    Condition("{} on weekends", lambda photo: photo.taken_at.weekday() >= 5),
    Condition("{} is:favourite", lambda photo: photo.is_favourite),
    Condition("{} from:2020-03 to:2021-06", lambda photo: _ym(photo) in range(202003, 202107)),
    Condition("{} has:text", lambda photo: bool(photo.sign)),
)

# What is remembered and said in plain words, as it is, beside what the photo shows.
REMEMBERED = (
    Condition(f"{{}} {SIGNS[0]}", lambda photo: photo.sign == SIGNS[0]),
    Condition(f"{{}} {SIGNS[1]}", lambda photo: photo.sign == SIGNS[1]),
    Condition(f"{ALBUMS[1]} {{}}", lambda photo: photo.album == ALBUMS[1]),
    Condition("{} Kyoto", lambda photo: photo.place[0] == "Kyoto"),
    Condition(f"{{}} {EVENTS[0]}", lambda photo: photo.event == EVENTS[0]),
    Condition("{} in Italy since 2019", lambda photo: _in(photo, "Italy") and _ym(photo) >= 201901),
    Condition(
        f"{SIGNS[2]} {{}} before 2020",
        lambda photo: photo.sign == SIGNS[2] and photo.taken_at.year < 2020,
    ),
    Condition(f"{{}} {ALBUMS[2]}", lambda photo: photo.album == ALBUMS[2]),
    Condition(f"{{}} {EVENTS[1]} in winter", lambda p: p.event == EVENTS[1] and _is_winter(p)),
    Condition(f"{{}} {TAGS[1]}", lambda photo: photo.tag == TAGS[1]),
)
ABSENT = ("{} without {}", "{} -{}", "no {1}, {0}", "{} not {}")


def questions(judgements: Judgements, given: Sequence[Given]) -> list[Question]:
    """All of them, the same every time for the same photos."""
    words = {name: _of_word(judgements, name) for name in judgements.words()}
    groups = {
        "sentences": _of_texts(judgements, sentences(judgements)),
        "phrases": _of_texts(judgements, phrases(judgements)),
        "keywords": iter(words.items()),
        "conditions": _under(CONDITIONS, words, given),
        "negations": _without(judgements, words),
        "mixtures": _under(REMEMBERED, words, given),
    }
    return [
        Question(group, text, grades)
        for group, asked in groups.items()
        for text, grades in islice(dict(asked).items(), MOST)
        if grades
    ]


def _of_texts(judgements: Judgements, texts: Sequence[str]) -> Iterator[tuple[str, Grades]]:
    """Those with at least one word that captions name elsewhere, as people wrote them."""
    for text in dict.fromkeys(texts):
        if content_words(text):
            grades = judgements.grades(text)
            yield text, {place: int(grade) for place, grade in enumerate(grades) if grade}


def _of_word(judgements: Judgements, name: str) -> Grades:
    (thing,) = judgements.things(name)[:1]
    judged = judgements.judged(thing)
    return dict.fromkeys(judged.unclear, UNCLEAR) | dict.fromkeys(judged.relevant, SURE)


def _under(
    conditions: Sequence[Condition], words: Mapping[str, Grades], given: Sequence[Given]
) -> Iterator[tuple[str, Grades]]:
    """Each word with the next conditions in turn, as many times as fills the group."""
    turn = cycle(conditions)
    for word, grades in list(words.items()) * _times(len(words)):
        for condition in islice(turn, len(conditions)):
            right = {place: g for place, g in grades.items() if condition.holds(given[place])}
            if list(right.values()).count(SURE) >= FEWEST_RIGHT:
                yield condition.says.format(word), right
                break


def _without(judgements: Judgements, words: Mapping[str, Grades]) -> Iterator[tuple[str, Grades]]:
    """Each word without another that many of its photos show as well."""
    ways = cycle(ABSENT)
    for turn in range(_times(len(words))):
        for word, grades in words.items():
            for other in _often_beside(word, words)[turn : turn + 1]:
                right = {
                    place: min(grade, UNCLEAR) if place in words[other] else grade
                    for place, grade in grades.items()
                    if words[other].get(place) != SURE
                }
                way = ABSENT[0] if " " in other else next(ways)
                yield way.format(word, other), right


def _often_beside(word: str, words: Mapping[str, Grades]) -> list[str]:
    """Words on some of the photos of `word` and not on others, commonest first; none that means
    the same or cannot be away where it is, as a player where a baseball player is."""
    mine = _sure(words[word])
    others = [other for other in words if not _is_related(word, other)]
    shared = {other: len(mine & _sure(words[other])) for other in others}
    kept = [
        other
        for other, count in shared.items()
        if count >= FEWEST_RIGHT and len(mine - set(words[other])) >= FEWEST_RIGHT
    ]
    return sorted(kept, key=lambda other: (-shared[other], other))


def _is_related(one: str, other: str) -> bool:
    return one in other or other in one or one in _above(other) or other in _above(one)


def _above(word: str) -> list[str]:
    return broader_words(word) if word in vocabulary() else []


def _sure(grades: Grades) -> set[int]:
    return {place for place, grade in grades.items() if grade == SURE}


def _times(words: int) -> int:
    """How often each of so many words is asked, so that a group becomes full."""
    return -(-MOST // words) if words else 0


def _ym(photo: Given) -> int:
    return photo.taken_at.year * 100 + photo.taken_at.month


def _in(photo: Given, country: str) -> bool:
    return photo.place[2] == country


def _is_winter(photo: Given) -> bool:
    return photo.taken_at.month in (12, 1, 2)
