"""What a file was when it was first fetched: from then on it must be the same.

Where a catalogue knows only the beginning of a hash, the first fetch is trusted (the host's
certificate vouches for it) and every later one is held to it.
"""

import json
from pathlib import Path

from vision.errors import PullError
from vision.pulling.catalogue import RemoteFile


def pinned(path: Path, file: RemoteFile) -> str:
    """The SHA-256 that `file` had, or nothing if it never was here. Raises PullError."""
    return _read(path).get(file.path, "")


def pin(path: Path, file: RemoteFile, sha256: str) -> None:
    """Remember what `file` is."""
    pins = _read(path) | {file.path: sha256}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.rename(path)


def _read(path: Path) -> dict[str, str]:
    try:
        pins = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        pins = None
    if not isinstance(pins, dict) or not all(isinstance(each, str) for each in pins.values()):
        raise PullError(f"{path} is damaged; it says what pulled files must be. Restore it.")
    return pins
