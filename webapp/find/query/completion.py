"""What the search box offers while one types: how the last word may go on, or be spelled.

The end of the text is what is being typed: `beach tag:gold` offers `beach tag:"golden retriever"`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from search.query import HAS, TYPES, Condition, Field, Query, cleaned
from search.suggesting import Names, corrected
from search.words import STOP_WORDS, fold
from webapp.accounts.models import User
from webapp.albums.models import Album
from webapp.find.history.events import past_searches
from webapp.find.query.lexicon import Lexicon, lexicon_of
from webapp.find.query.understanding import known_things

COUNT = 8
OF_A_KIND = 4
MAX_TYPED = 500

_LAST = re.compile(
    r"(?P<before>(?:.*\s)?)(?P<minus>-?)"
    r"(?:(?P<field>[a-z]+):(?P<value>[^\s\"]*)|(?P<word>[^\s\"]*))",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
_OPEN = re.compile(
    r"(?P<before>(?:(?:[^\"]|\"[^\"]*\")*\s)?)(?P<minus>-?)(?P<field>[a-z]+):\"(?P<value>[^\"]*)(?P<word>)",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
_FIELDS = ("tag", "place", "camera", "album", "type", "has", "is", "before", "from", "to")


@dataclass(frozen=True)
class Completion:
    """A whole query to go on with, how it is shown, and what kind of thing it adds."""

    text: str
    label: str
    kind: str


def completions(user: User, typed: str) -> list[Completion]:
    """Up to COUNT completions of `typed`, best first. The number of SQL queries is constant."""
    typed = cleaned(typed[:MAX_TYPED]).lstrip()
    past = [Completion(text, text, "searched before") for text in past_searches(user, typed, 3)]
    last = _OPEN.fullmatch(typed) or _LAST.fullmatch(typed)
    lexicon = lexicon_of(user)  # made by the time of the first letter
    if last is None or not (last["field"] or last["word"]):
        return past[:COUNT]
    offered = [*past, *islice(_of_last_word(user, lexicon, last), COUNT)]
    distinct = {each.text.casefold(): each for each in reversed(offered)}
    distinct.pop(typed.strip().casefold(), None)
    return [each for each in offered if distinct.get(each.text.casefold()) is each][:COUNT]


def better_spelled(user: User, query: Query) -> str:
    """`query` with what is probably mistyped in its text spelled as the library has it; empty where
    nothing is."""
    lexicon = lexicon_of(user)
    words = query.text.split()
    better = [_corrected(word, lexicon) or word for word in words]
    return "" if better == words else str(replace(query, text=" ".join(better)))


def _corrected(word: str, lexicon: Lexicon) -> str | None:
    """What `word` was meant to be; None for words that are none of the library's, but right."""
    is_right = fold(word) in STOP_WORDS or fold(word) in known_things()
    return None if is_right else corrected(word, lexicon.words)


def _of_last_word(user: User, lexicon: Lexicon, last: re.Match[str]) -> Iterator[Completion]:
    before = last["before"] + last["minus"]
    if last["field"]:
        yield from _of_field(
            user, lexicon, before, last["field"].lower(), last["value"].lstrip('"')
        )
        return
    word = last["word"]
    for field, names in _own_names(user, lexicon).items():
        for name in names.beginning(word, OF_A_KIND if field is Field.TAG else 2):
            yield _condition(before, field, name)
    if len(word) > 1:
        for prefix in _FIELDS:
            if prefix.startswith(word.lower()):
                yield Completion(f"{before}{prefix}:", f"{prefix}:", "condition")
    if better := _corrected(word, lexicon):
        yield Completion(f"{before}{better}", f"{before}{better}", "spelling")


def _of_field(
    user: User, lexicon: Lexicon, before: str, prefix: str, value: str
) -> Iterator[Completion]:
    """Values of one kind of condition."""
    choices: dict[str, Callable[[], Names]] = {
        "tag": lambda: lexicon.tags,
        "place": lambda: lexicon.places,
        "camera": lambda: lexicon.cameras,
        "album": lambda: _albums(user),
        "type": lambda: Names(dict.fromkeys(TYPES.values(), 1)),
        "has": lambda: Names(dict.fromkeys(HAS.values(), 1)),
        "is": lambda: Names({"favourite": 1}),
    }
    if prefix in choices:
        for name in choices[prefix]().beginning(value, COUNT):
            yield _condition(before, Field(prefix), name)


def _own_names(user: User, lexicon: Lexicon) -> dict[Field, Names]:
    return {
        Field.TAG: lexicon.tags,
        Field.PLACE: lexicon.places,
        Field.ALBUM: _albums(user),
        Field.CAMERA: lexicon.cameras,
    }


def _albums(user: User) -> Names:
    return Names(dict.fromkeys(Album.objects.visible_to(user).values_list("name", flat=True), 1))


def _condition(before: str, field: Field, name: str) -> Completion:
    written = str(Condition(field, name.replace('"', " ")))
    return Completion(f"{before}{written}", name, _KINDS.get(field, "condition"))


_KINDS = {Field.TAG: "tag", Field.PLACE: "place", Field.ALBUM: "album", Field.CAMERA: "camera"}
