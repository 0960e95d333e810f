"""Words for months, weekdays, seasons and holidays, in English and German, folded."""

from __future__ import annotations

from typing import NamedTuple

from search.query.dates import MONTHS, WEEKDAYS
from search.words import word_set


def _numbered(*groups: str, start: int = 1) -> dict[str, int]:
    return {name: n for n, group in enumerate(groups, start) for name in group.split()}


MONTH_NAMES = {
    **MONTHS,
    **_numbered(
        *("january januar janner", "february februar", "march marz", "april", "may mai"),
        *("june juni", "july juli", "august", "september sept", "october oktober okt"),
        *("november", "december dezember dez"),
    ),
}
# Months that are nothing else: the others are names and verbs as well ("april", "march").
CLEAR_MONTHS = word_set(
    "january januar february februar july juli september october oktober november december "
    "dezember juni"
)
WEEKDAY_NAMES = {
    **_numbered(
        *("monday mondays montag montags", "tuesday tuesdays dienstag dienstags"),
        *("wednesday wednesdays mittwoch mittwochs", "thursday thursdays donnerstag donnerstags"),
        *("friday fridays freitag freitags", "saturday saturdays samstag samstags sonnabend"),
        "sunday sundays sonntag sonntags",
        start=0,
    ),
    **WEEKDAYS,
}
# Said alone, these mean every one of them.
PLURAL_WEEKDAYS = frozenset(
    name for name in WEEKDAY_NAMES if name.endswith("days") or name.endswith("ags")
) | {"mittwochs"}
WEEKENDS = frozenset({"weekend", "weekends", "wochenende", "wochenenden"})

# First month; each has three. Winter begins in the year by which it is called.
SEASONS = {
    **dict.fromkeys(("spring", "fruhling", "fruhjahr"), 3),
    **dict.fromkeys(("summer", "sommer"), 6),
    **dict.fromkeys(("autumn", "fall", "herbst"), 9),
    "winter": 12,
}


class Holiday(NamedTuple):
    """Days of one month; of Easter, which moves, the month is 0."""

    month: int
    first: int
    last: int


EASTER = Holiday(0, 0, 0)
HOLIDAYS: dict[tuple[str, ...], Holiday] = {
    ("christmas", "eve"): Holiday(12, 24, 24),
    ("christmas", "day"): Holiday(12, 25, 25),
    ("christmas",): Holiday(12, 24, 26),
    ("xmas",): Holiday(12, 24, 26),
    ("weihnachten",): Holiday(12, 24, 26),
    ("heiligabend",): Holiday(12, 24, 24),
    ("new", "years", "eve"): Holiday(12, 31, 31),
    ("new", "years", "day"): Holiday(1, 1, 1),
    ("new", "years"): Holiday(1, 1, 1),
    ("silvester",): Holiday(12, 31, 31),
    ("neujahr",): Holiday(1, 1, 1),
    ("halloween",): Holiday(10, 31, 31),
    ("valentines", "day"): Holiday(2, 14, 14),
    ("valentinstag",): Holiday(2, 14, 14),
    ("easter",): EASTER,
    ("ostern",): EASTER,
}

NUMBERS = _numbered(
    *("a an one ein eine einem einen einer", "two zwei", "three drei", "four vier"),
    *("five funf", "six sechs", "seven sieben", "eight acht", "nine neun", "ten zehn"),
)
# How many days, or (negative) months, each is.
UNITS = {
    **dict.fromkeys(word_set("day days tag tage tagen"), 1),
    **dict.fromkeys(word_set("week weeks woche wochen"), 7),
    **dict.fromkeys(word_set("month months monat monate monaten"), -1),
    **dict.fromkeys(word_set("year years jahr jahre jahren"), -12),
}
LAST = word_set("last past previous letzte letzten letzter letztes letztem vorigen vorige")
THIS = word_set("this diese diesen dieser dieses diesem")
