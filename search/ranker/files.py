"""The ranker of an installation on disk: one file for each, and one that says which is at work.

A file is written aside and renamed; its name begins its SHA-256, which `current.json` holds in
full. Promotion and its undoing are each one rename of `current.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.errors import RankerDamaged
from search.ranker.network import Network

CURRENT, ATTEMPT = "current.json", "attempt.json"


@dataclass(frozen=True)
class Ranker:
    """A network that was promoted; `name` is how the log calls it."""

    name: str
    network: Network
    figures: dict[str, Any]


def stamp(folder: Path) -> tuple[int, int] | None:
    """Changes whenever another ranker is put to work; None if there never was one."""
    try:
        stat = (folder / CURRENT).stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def current(folder: Path) -> Ranker | None:
    """The ranker at work. Raises `RankerDamaged` if its file is not what was promoted."""
    entry = _entry(folder)
    if not entry or not entry["name"]:
        return None
    try:
        data = (folder / f"{entry['name']}.json").read_bytes()
    except OSError as error:
        raise RankerDamaged(f"The ranker {entry['name']} is missing.") from error
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise RankerDamaged(f"The ranker {entry['name']} is not the file that was promoted.")
    return Ranker(entry["name"], Network.from_json(json.loads(data)), entry["figures"])


def promote(folder: Path, network: Network, figures: dict[str, Any]) -> str:
    """Put `network` to work beside what was at work before. Returns its name."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(network.as_json()).encode()
    sha256 = hashlib.sha256(data).hexdigest()
    name = sha256[:12]
    _write(folder / f"{name}.json", data)
    before = _entry_or_none(folder)
    entry = {"name": name, "sha256": sha256, "figures": figures}
    _write_json(folder / CURRENT, entry | {"before": before and before | {"before": None}})
    _remove_others(folder)
    return name


def roll_back(folder: Path) -> str | None:
    """Put to work what was at work before the last promotion: another ranker (its name), or the
    order without one (empty). None if there is nothing to undo."""
    entry = _entry_or_none(folder)
    if not entry or not entry["name"]:
        return None
    before = entry.get("before") or {"name": "", "sha256": "", "figures": {}}
    _write_json(folder / CURRENT, before | {"before": None})
    return str(before["name"])


def read_attempt(folder: Path) -> dict[str, Any]:
    """What came of the last training, promoted or not; empty before the first."""
    try:
        read = json.loads((folder / ATTEMPT).read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def write_attempt(folder: Path, told: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / ATTEMPT, told)


def _entry(folder: Path) -> dict[str, Any] | None:
    try:
        read = json.loads((folder / CURRENT).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RankerDamaged(f"{CURRENT} of the ranker cannot be read.") from error
    if not isinstance(read, dict) or not {"name", "sha256", "figures"} <= read.keys():
        raise RankerDamaged(f"{CURRENT} of the ranker says too little.")
    return read


def _entry_or_none(folder: Path) -> dict[str, Any] | None:
    try:
        return _entry(folder)
    except RankerDamaged:
        return None


def _remove_others(folder: Path) -> None:
    """Only the ranker at work and the one before it are kept."""
    entry = _entry(folder) or {}
    kept = {entry.get("name"), (entry.get("before") or {}).get("name")}
    for path in folder.glob("*.json"):
        if path.stem not in kept and path.name not in (CURRENT, ATTEMPT):
            path.unlink(missing_ok=True)


def _write_json(path: Path, told: dict[str, Any]) -> None:
    _write(path, json.dumps(told, indent=1).encode())


def _write(path: Path, data: bytes) -> None:
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
