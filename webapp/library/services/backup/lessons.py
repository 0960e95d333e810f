"""What models were trained on: data sets, and snapshots of what other trainings learned from.

Both are named by their hash. Data sets never change; snapshots only lose what the library lost, and
the backup's lose it as well the next time that one is made.
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
    _copy_files(snapshots_folder(), folder / SNAPSHOTS, over_others=True)


def bring_back_lessons(folder: Path) -> None:
    """Have all of the backup's here; what is here already stays."""
    copy_new(folder / DATA_SETS, datasets_folder())
    _copy_files(folder / SNAPSHOTS, snapshots_folder())


def _copy_files(source: Path, target: Path, *, over_others: bool = False) -> None:
    """Have every file in `target`; with `over_others` in place of one of another size."""
    for path in source.glob("*.json"):
        done, partial = target / path.name, target / f".{path.name}.partial"
        is_other = over_others and done.exists() and done.stat().st_size != path.stat().st_size
        if is_other or not done.exists():
            target.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            shutil.copy2(path, partial)
            partial.rename(done)
