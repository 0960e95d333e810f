"""What trainings learned from, and which photos they never learn from."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from webapp.errors import NotFound
from webapp.teach.runs.holdout import Part, is_held_out, part_of
from webapp.teach.runs.snapshots import (
    keep_snapshot,
    read_snapshot,
    redact_snapshot,
    snapshot_path,
)


def test_a_snapshot_is_written_once_and_found_by_its_hash(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    content = {"photos": ["ab"], "corrections": [[1, "ab", "add_tag", "Großmutters Haus"]]}
    sha256 = keep_snapshot(content)
    written = snapshot_path(sha256).stat().st_mtime_ns
    assert keep_snapshot(dict(reversed(content.items()))) == sha256
    assert snapshot_path(sha256).stat().st_mtime_ns == written
    assert read_snapshot(sha256) == content


def test_a_snapshot_that_was_changed_is_not_believed(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    sha256 = keep_snapshot({"photos": []})
    snapshot_path(sha256).chmod(0o600)
    snapshot_path(sha256).write_text('{"photos":["ab"]}')
    with pytest.raises(NotFound, match="was changed"):
        read_snapshot(sha256)
    with pytest.raises(NotFound, match="not in the data folder"):
        read_snapshot("0" * 64)


def test_what_is_left_of_a_snapshot_is_believed_and_nothing_else(
    tmp_path: Path, settings: Any
) -> None:
    settings.MAREA_DATA = tmp_path
    sha256 = keep_snapshot({"learned": {"ab": ["Miso sleeps"], "cd": ["A dog"]}})
    redact_snapshot(sha256, {"learned": {"cd": ["A dog"]}})
    assert read_snapshot(sha256) == {"learned": {"cd": ["A dog"]}}
    redact_snapshot(sha256, {"learned": {}})  # again, later
    assert read_snapshot(sha256) == {"learned": {}}
    changed = snapshot_path(sha256).read_text().replace("learned", "learnt")
    snapshot_path(sha256).chmod(0o600)
    snapshot_path(sha256).write_text(changed)
    with pytest.raises(NotFound, match="was changed"):
        read_snapshot(sha256)


def test_a_fifth_of_all_photos_is_held_out_whoever_asks() -> None:
    hashes = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(5000)]
    parts = [part_of(each) for each in hashes]
    assert parts.count(Part.HELD_OUT) == pytest.approx(1000, rel=0.1)
    assert parts.count(Part.VALIDATION) == pytest.approx(500, rel=0.15)
    assert all(is_held_out(h) == (int(h[:8], 16) % 5 == 0) for h in hashes)
    assert part_of("0" * 64) == Part.HELD_OUT
