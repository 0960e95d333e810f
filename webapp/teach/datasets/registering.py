"""Data sets as rows, and what the problems that they are about are called."""

import hashlib
from pathlib import Path

from django.utils.text import slugify

from vision.classifying.snapshot import Snapshot, open_snapshot
from vision.errors import DataMissing
from webapp.errors import NotFound, Refused
from webapp.teach.datasets.archives import open_archive
from webapp.teach.datasets.folders import open_folder
from webapp.teach.datasets.models import DataSet
from webapp.teach.datasets.taking import Progress, take
from webapp.texts import one_line

MAX_TITLE = 60
MAX_SLUG = 40


def nothing_told(step: str, done: int, total: int) -> None:
    """For who watches nothing."""


def read_source(source: Path, progress: Progress) -> Path:
    """Make a data set of a ZIP or a folder; its folder. Raises `Refused` with why there is none."""
    if source.is_dir():
        return take(open_folder(source), progress)
    with open_archive(source) as contents:
        return take(contents, progress)


def keep_data_set(data_set: DataSet, folder: Path) -> None:
    """The data set was made: its row says so."""
    snapshot = open_snapshot(folder)
    data_set.state, data_set.digest = DataSet.State.READY, snapshot.digest
    data_set.photos, data_set.classes = len(snapshot.items), len(snapshot.labels)
    data_set.save()


def snapshot_of(data_set: DataSet) -> Snapshot:
    """Raises `NotFound` when its folder is gone."""
    try:
        return open_snapshot(data_set.folder)
    except DataMissing as error:
        raise NotFound(str(error)) from error


def tidy_title(text: str) -> str:
    """What a problem is called. Raises `Refused` for nothing, and for too much."""
    title = one_line(text)
    if not title:
        raise Refused("Give it a name, such as Roof tiles. Nothing was started.", field="title")
    if len(title) > MAX_TITLE:
        raise Refused(
            f"A name may have at most {MAX_TITLE} characters, this one has {len(title)}. Nothing "
            "was started.",
            field="title",
        )
    return title


def slug_of(title: str) -> str:
    """Names parts and files of versions: ASCII letters and digits, whatever the title's script."""
    slug = slugify(title).replace("_", "-")
    if slug == slugify(title, allow_unicode=True).replace("_", "-") and len(slug) <= MAX_SLUG:
        return slug
    mark = hashlib.sha256(title.encode()).hexdigest()[:8]
    return f"{slug[: MAX_SLUG - len(mark) - 1]}-{mark}".strip("-")
