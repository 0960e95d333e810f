"""Reads settings from the environment and remembers what it read, so that docs can list them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import environ

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """One environment variable: its name, shown default and what it does."""

    name: str
    default: str
    help: str


DECLARED: dict[str, Setting] = {}
_env = environ.Env()


def _read(reader: Callable[..., T], name: str, default: T, help_text: str, shown: str | None) -> T:
    DECLARED[name] = Setting(name, shown if shown is not None else str(default), help_text)
    return reader(name, default=default)


def text(name: str, default: str, help_text: str, *, shown: str | None = None) -> str:
    return _read(_env.str, name, default, help_text, shown)


def integer(name: str, default: int, help_text: str) -> int:
    return _read(_env.int, name, default, help_text, None)


def decimal(name: str, default: float, help_text: str) -> float:
    return _read(_env.float, name, default, help_text, None)


def flag(name: str, default: bool, help_text: str) -> bool:
    return _read(_env.bool, name, default, help_text, "on" if default else "off")


def words(name: str, default: list[str], help_text: str) -> list[str]:
    return _read(_env.list, name, default, help_text, ",".join(default))


def database(name: str, default_url: str, help_text: str) -> dict[str, object]:
    DECLARED[name] = Setting(name, "SQLite in the data folder", help_text)
    return dict(_env.db_url(name, default=default_url))
