"""Letting go of old backups, and of originals, data sets and snapshots that only they needed.

Until then a photo that was deleted for good is still in the backups that were made before.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from webapp.library.services.backup.layout import (
    MANIFEST,
    ORIGINALS,
    ROWS,
    backups_in,
    original_in,
)
from webapp.library.services.backup.lessons import prune_lessons
from webapp.library.services.backup.rows import photo_hashes


@dataclass(frozen=True)
class Pruned:
    """How many backups and originals were removed."""

    backups: int
    originals: int


def prune_backups(folder: Path, *, keep: int) -> Pruned:
    """Remove all but the newest `keep` backups, and files that none of those refers to.

    Safe to interrupt: what has lost its manifest is no backup any more, and is removed next time.
    """
    if keep < 1:
        raise ValueError("at least one backup is kept")
    old = backups_in(folder)[:-keep]
    for backup in old:
        (backup / MANIFEST).unlink()
    for rest in _without_manifest(folder):
        shutil.rmtree(rest)
    rows = [backup / ROWS for backup in backups_in(folder)]
    prune_lessons(folder, rows)
    needed = {sha256 for each in rows for sha256 in photo_hashes(each)}
    unneeded = [sha256 for sha256 in _kept(folder) if sha256 not in needed]
    for sha256 in unneeded:
        original_in(folder, sha256).unlink(missing_ok=True)
    return Pruned(len(old), len(unneeded))


def _without_manifest(folder: Path) -> Iterator[Path]:
    """What is left of backups whose removal was interrupted; not those in the making."""
    for rows in folder.glob(f"*/{ROWS}"):
        if not rows.parent.name.startswith("making-") and not (rows.parent / MANIFEST).exists():
            yield rows.parent


def _kept(folder: Path) -> list[str]:
    """SHA-256s of the originals in the folder."""
    return [path.name for path in (folder / ORIGINALS).glob("??/??/*") if len(path.name) == 64]
