"""What models were trained on: data sets, and snapshots of what other trainings learned from.

Both are named by their hash and never change.
"""

import shutil
from pathlib import Path

from webapp.library.services.backup.versions import copy_new
from webapp.teach.datasets.models import datasets_folder
from webapp.teach.runs.snapshots import snapshots_folder

DATA_SETS, SNAPSHOTS = "datasets", "snapshots"


def keep_lessons(folder: Path) -> None:
    """Have all of them in the backup."""
    copy_new(datasets_folder(), folder / DATA_SETS)
    _copy_files(snapshots_folder(), folder / SNAPSHOTS)


def bring_back_lessons(folder: Path) -> None:
    """Have all of the backup's here; what is here already stays."""
    copy_new(folder / DATA_SETS, datasets_folder())
    _copy_files(folder / SNAPSHOTS, snapshots_folder())


def _copy_files(source: Path, target: Path) -> None:
    for path in source.glob("*.json"):
        done, partial = target / path.name, target / f".{path.name}.partial"
        if not done.exists():
            target.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            shutil.copy2(path, partial)
            partial.rename(done)
