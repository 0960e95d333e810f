"""`manage.py benchmark decoding`: every row searches anew over the same photos."""

from pathlib import Path

import pytest

from tests.vision.folders import write_collection
from webapp.teach.benchmarks import decoding

pytestmark = pytest.mark.django_db


def test_each_row_is_one_change_and_shown_and_unshown_are_all(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "drawn", train=2, dev=6)
    figures = decoding.run({"data": folder, "split": "dev", "photos": 5})
    assert figures["photos"] == 5
    rows = figures["rows"]
    assert rows.keys() >= decoding.BEAMS.keys()
    assert all(own["cider_d"] >= 0 and 0 <= own["bleu4"] <= 1 for own in rows.values())
    assert all(rows[name]["work"] > 0 for name in decoding.BEAMS)
    parts = [rows[name]["shown"] for name in rows if name.startswith("only")]
    assert sum(parts) == pytest.approx(1)
    printed = decoding.table(figures)
    assert all(name in printed for name in rows)
