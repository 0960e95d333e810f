"""What models were trained on: data sets, and snapshots of what other trainings learned from.

Both are named by their hash. Data sets never change; snapshots only lose what the library lost, and
the backup's lose it as well the next time that one is made.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from webapp.library.services.backup.rows import values_in
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


def prune_lessons(folder: Path, rows: Sequence[Path]) -> None:
    """Remove those of a backup folder that none of its backups' rows names."""
    named = {digest for each in rows for digest in values_in(each, "teach.dataset", "digest")}
    for manifest in (folder / DATA_SETS).glob("[!.]*/manifest.json"):
        if manifest.parent.name not in named:
            leaving = manifest.parent.with_name(f".{manifest.parent.name}.leaving")
            manifest.parent.rename(leaving)  # half of one would be taken for all of it
            shutil.rmtree(leaving)
    named = {name for each in rows for name in values_in(each, "teach.trainingrun", "snapshot")}
    for path in (folder / SNAPSHOTS).glob("*.json"):
        if path.stem not in named:
            path.unlink()


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
