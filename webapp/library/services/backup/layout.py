"""How a backup folder looks. It holds any number of backups, which share their originals.

    originals/ab/cd/<sha256>              each original once, whichever backups refer to it
    models/<name>/                        model versions that were trained or pulled here
    datasets/<sha256>/                    photos that classifiers were trained on
    snapshots/<sha256>.json               what other trainings learned from
    <time>/database.jsonl.gz              every row, in a form that any database reads
    <time>/manifest.json                  what is in there; written last
    making-<time>/                        a backup that was not finished, worthless

A backup exists from the rename that gives its folder the final name, so one that is interrupted
leaves the earlier ones as they were.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from webapp.errors import Refused

FORMAT = 1
ROWS = "database.jsonl.gz"
MANIFEST = "manifest.json"
ORIGINALS = "originals"


@dataclass(frozen=True)
class Manifest:
    """What one backup holds."""

    made_at: str  # ISO 8601, UTC
    rows: dict[str, int]  # model label to number
    rows_sha256: str
    originals: int
    original_bytes: int
    missing_originals: list[str]  # were not in the library any more
    migrations: dict[str, str]  # app to its newest migration

    def write(self, folder: Path) -> None:
        content = json.dumps(asdict(self) | {"format": FORMAT}, indent=1)
        (folder / MANIFEST).write_text(content, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises `Refused` when the folder holds no backup that this version of Marea reads."""
        try:
            content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if content.pop("format") == FORMAT:
                return cls(**content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        raise Refused(f"{folder} is no backup that this version of Marea can read.")


def backups_in(folder: Path) -> list[Path]:
    """Finished backups, oldest first."""
    return sorted(path.parent for path in folder.glob(f"*/{MANIFEST}") if _is_finished(path.parent))


def choose(folder: Path, at: str | None) -> Path:
    """The backup called `at`, or else the newest. Raises `Refused` when there is none."""
    finished = backups_in(folder)
    if not finished:
        raise Refused(f"There is no finished backup in {folder}. Nothing was restored.")
    names = [path.name for path in finished]
    if at is None:
        return finished[-1]
    if at not in names:
        raise Refused(f"There is no backup {at} in {folder}; there are {', '.join(names)}.")
    return folder / at


def _is_finished(folder: Path) -> bool:
    return not folder.name.startswith("making-")


def original_in(folder: Path, sha256: str) -> Path:
    return folder / ORIGINALS / sha256[:2] / sha256[2:4] / sha256


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
