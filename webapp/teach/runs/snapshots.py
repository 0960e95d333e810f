"""What a training learned from, written once and never changed: a file named by its own hash."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from webapp.errors import NotFound


def keep_snapshot(content: Mapping[str, Any]) -> str:
    """Write `content` unless it is there; the SHA-256 that it is found by."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    path = snapshot_path(sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".partial-{os.getpid()}")
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o440)
        partial.rename(path)
    return sha256


def read_snapshot(sha256: str) -> dict[str, Any]:
    """What was kept. Raises `NotFound` when it is gone or not what it was."""
    try:
        content = snapshot_path(sha256).read_bytes()
    except OSError:
        raise NotFound(f"The data snapshot {sha256[:12]} is not in the data folder.") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotFound(f"The data snapshot {sha256[:12]} was changed; it is not what was learned.")
    snapshot: dict[str, Any] = json.loads(content)
    return snapshot


def snapshot_path(sha256: str) -> Path:
    return snapshots_folder() / f"{sha256}.json"


def snapshots_folder() -> Path:
    return training_folder() / "snapshots"


def training_folder() -> Path:
    """Where trainings keep what they made, between attempts and for good."""
    return Path(settings.MAREA_DATA) / "training"
