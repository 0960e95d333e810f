"""Everything that Marea needs, examined in the order in which one part rests on the other."""

from collections.abc import Iterator
from functools import partial

from webapp.library.services.doctor import database, files, lessons, ranking, seen, system, texts
from webapp.library.services.doctor.findings import Check, Finding, Level, Progress

__all__ = ["Finding", "Level", "examine"]


def examine(*, deep: bool = False, progress: Progress = iter) -> Iterator[Finding]:
    """What each check finds, one after the other, so that mending one helps the next.

    `deep` also reads every original and compares its SHA-256.
    """
    checks: list[Check] = [
        system.secret_key,
        system.disk,
        system.browser_packages,
        system.redis,
        database.database,
        database.migrations,
        database.rows,
        partial(files.stored, deep=deep, progress=progress),
        files.orphans,
        partial(files.thumbnails, progress=progress),
        system.weights,
        database.work,
        seen.sights,
        texts.read,
        seen.full_text,
        seen.index,
        ranking.ranker,
        lessons.data_sets,
        lessons.snapshots,
    ]
    for check in checks:
        yield from check()
