"""Letting go of what interrupted readings left behind."""

import shutil
import time
from pathlib import Path

from webapp.teach.datasets.deleting import purge
from webapp.teach.datasets.models import DataSet, datasets_folder

ABANDONED_AFTER_S = 24 * 3600


def tidy() -> int:
    """Remove half-made data sets and ZIPs that nobody will read any more, and data sets that were
    deleted long ago. Returns how many."""
    abandoned = [path for path in _left_behind() if path.stat().st_mtime < _before()]
    for path in abandoned:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return len(abandoned) + purge()


def _left_behind() -> list[Path]:
    waiting = [each.incoming for each in DataSet.objects.select_related("job") if each.is_waiting]
    zips = datasets_folder().glob(".incoming/*.zip")
    return [*datasets_folder().glob(".partial-*"), *(zip for zip in zips if zip not in waiting)]


def _before() -> float:
    return time.time() - ABANDONED_AFTER_S
