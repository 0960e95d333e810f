"""What a training learned from: a file named by its own hash.

It is written once. Only what the library no longer holds leaves it (`forgetting`); then the file
says when, and has the hash of what is left, so that its name stays explained.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from webapp.errors import NotFound


def keep_snapshot(content: Mapping[str, Any]) -> str:
    """Write `content` unless it is there; the SHA-256 that it is found by."""
    text = _as_text(content)
    sha256 = _hash(text)
    if not snapshot_path(sha256).exists():
        _write(snapshot_path(sha256), text)
    return sha256


def redact_snapshot(sha256: str, rest: Mapping[str, Any]) -> None:
    """Let only `rest` of a snapshot stay; it is found by the same name."""
    text = _as_text(rest)
    said = {"rest_sha256": _hash(text), "redacted_at": timezone.now().isoformat(timespec="minutes")}
    _write(snapshot_path(sha256), _as_text(said | {"rest": rest}))


def read_snapshot(sha256: str) -> dict[str, Any]:
    """What was kept, or what is left of it. Raises `NotFound` when it is gone or was changed by
    anybody else."""
    try:
        text = snapshot_path(sha256).read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise NotFound(f"The data snapshot {sha256[:12]} is not in the data folder.") from None
    content = _from_text(text)
    if _hash(text) == sha256:
        return content
    rest = content.get("rest")
    if rest is None or _hash(_as_text(rest)) != content.get("rest_sha256"):
        raise NotFound(f"The data snapshot {sha256[:12]} was changed; it is not what was learned.")
    left: dict[str, Any] = rest
    return left


def _as_text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _from_text(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".partial-{os.getpid()}")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.chmod(0o440)
    partial.rename(path)


def snapshot_path(sha256: str) -> Path:
    return snapshots_folder() / f"{sha256}.json"


def snapshots_folder() -> Path:
    return training_folder() / "snapshots"


def training_folder() -> Path:
    """Where trainings keep what they made, between attempts and for good."""
    return Path(settings.MAREA_DATA) / "training"
