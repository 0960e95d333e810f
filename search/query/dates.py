"""Days that a query can mean: one stretch of them, or days that come again every year or week."""

from __future__ import annotations

import re
from calendar import day_abbr, day_name, month_abbr, month_name
from dataclasses import dataclass
from datetime import date, timedelta

OLDEST_YEAR = 1826  # of the first photo that is left

_DAY = timedelta(days=1)
_DATE = re.compile(r"(\d{4})(?:[-./](\d{1,2}))?(?:[-./](\d{1,2}))?", re.ASCII)
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_RECURRING = re.compile(r"([a-z]{3}(?:\+[a-z]{3})*)(?:/(\d{1,2})(?:\.\.(\d{1,2}))?)?", re.ASCII)

MONTHS = {month_abbr[number].lower(): number for number in range(1, 13)}
WEEKDAYS = {day_abbr[number].lower(): number for number in range(7)}  # Monday is 0


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from `start` up to but without `end`; None is open."""

    start: date | None
    end: date | None

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            return f"before:{self.end}" if self.end else f"from:{self.start}"
        last = self.end - _DAY
        whole = next((text for text in _whole(self.start) if days(text) == self), None)
        return f"taken:{whole or f'{self.start}..{last}'}"


@dataclass(frozen=True, slots=True)
class Recurring:
    """Days of every year or of every week: of `months` (1 to 12), in them only the days of the
    month from `first` to `last` if given; or `weekdays`, Monday 0."""

    months: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    first: int = 1
    last: int = 31

    def __str__(self) -> str:
        """`dec`, `jun+jul+aug`, `dec/24..26`, `may/3`, `sat+sun`."""
        names = [month_abbr[month].lower() for month in self.months]
        names += [day_abbr[weekday].lower() for weekday in self.weekdays]
        if (self.first, self.last) == (1, 31):
            return "+".join(names)
        span = f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"
        return f"{'+'.join(names)}/{span}"

    @property
    def in_words(self) -> str:
        """`December`, `June, July and August`, `24 to 26 December`, `Saturday and Sunday`."""
        names = [month_name[month] for month in self.months]
        names += [day_name[weekday] for weekday in self.weekdays]
        said = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
        if (self.first, self.last) == (1, 31):
            return said
        span = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        return f"{span} {said}"

    @classmethod
    def read(cls, text: str) -> Recurring | None:
        """What `str` of one wrote; None if it is none."""
        parts = _RECURRING.fullmatch(text.lower())
        if parts is None:
            return None
        names = parts[1].split("+")
        if all(name in WEEKDAYS for name in names) and not parts[2]:
            return cls(weekdays=tuple(sorted({WEEKDAYS[name] for name in names})))
        if not all(name in MONTHS for name in names):
            return None
        months = tuple(dict.fromkeys(MONTHS[name] for name in names))
        first = int(parts[2] or 1)
        last = int(parts[3] or parts[2] or 31)
        return cls(months, first=first, last=last) if 1 <= first <= last <= 31 else None


def one_day(day: date) -> DateRange:
    return DateRange(day, day + _DAY)


def one_month(year: int, month: int) -> DateRange:
    start = date(year, month, 1)
    return DateRange(start, (start + 31 * _DAY).replace(day=1))


def years(first: int, last: int) -> DateRange:
    return DateRange(date(first, 1, 1), date(last + 1, 1, 1))


def days(text: str) -> DateRange | None:
    """The days of 2019, 2019-06, 2019-06-30 or 30.6.2019; None if they are none."""
    if german := _GERMAN_DATE.fullmatch(text):
        day, month, year = map(int, german.groups())
    elif parts := _DATE.fullmatch(text):
        year, month, day = (int(part or 0) for part in parts.groups())
        if (parts[2] and not month) or (parts[3] and not day):
            return None
    else:
        return None
    try:
        if day:
            return one_day(date(year, month, day))
        return one_month(year, month) if month else years(year, year)
    except (ValueError, OverflowError):
        return None


def looks_like_a_date(text: str) -> bool:
    """Whether `text` is written as a day, whether or not there is such a day."""
    parts = _DATE.fullmatch(text)
    return bool(_GERMAN_DATE.fullmatch(text) or (parts and parts[3]))


def _whole(start: date) -> tuple[str, str, str]:
    day = start.isoformat()
    return day[:4], day[:7], day
