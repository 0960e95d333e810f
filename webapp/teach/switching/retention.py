"""What is kept of versions that are no longer at work, and for how long.

The active version and the one before keep everything, as does one that is being made ready, so that
a switch is one row. Of the others a person's pinned ones and the newest `MAREA_VERSIONS_KEPT` keep
what they saw; they can serve again once tags, words and index are made anew, without another look.
The rest goes, with its folder if it is not one that ships.
"""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from webapp.find.index.building import index_folder
from webapp.teach.job_models import ModelJob
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.runs.models import TrainingRun
from webapp.teach.switching import readying
from webapp.teach.versions.active import weights_folder
from webapp.teach.versions.folders import models_folder

logger = logging.getLogger(__name__)

PORTION = 2_000  # sights deleted in one transaction


@dataclass(frozen=True)
class Leaving:
    """What `tidy` takes of one version."""

    version: ModelVersion
    is_whole: bool  # its sights and folder as well, not only tags, words and index

    @property
    def says(self) -> str:
        if not self.is_whole:
            return "its tags, words and index; what it saw stays"
        folder = " and its folder" if _own_folder(self.version) else ""
        return f"what it saw of {self.sights:,} photos, its tags, words and index{folder}"

    @property
    def sights(self) -> int:
        return Sight.objects.filter(version=self.version).count()


def leaving() -> list[Leaving]:
    """What the rule lets go of now, oldest version first."""
    ready = _kept_ready()
    others = ModelVersion.objects.exclude(pk__in=ready).order_by("created_at", "pk")
    free = [version for version in others if not version.is_pinned and not _is_needed(version)]
    older = free[: max(0, len(free) - settings.MAREA_VERSIONS_KEPT)]
    found = (Leaving(version, version in older) for version in others)
    return [each for each in found if _has_something(each)]


def tidy() -> list[str]:
    """Let go of it; names of the versions. Safe to interrupt."""
    gone = leaving()
    for each in gone:
        _let_go(each)
        logger.info("version_tidied name=%s whole=%s", each.version.name, each.is_whole)
    return [each.version.name for each in gone]


def _kept_ready() -> set[int]:
    """The active version, the one before, and those that somebody asked to put to work."""
    served = ModelVersion.objects.exclude(activated_at=None).order_by("-is_active", "-activated_at")
    asked = ModelJob.objects.filter(
        Q(state=ModelJob.State.STOPPED) | Q(pk__in=ModelJob.objects.unfinished()),
        kind=ModelJob.Kind.ACTIVATE,
    )
    wanted = ModelVersion.objects.filter(name__in=asked.values("name"))
    return {*served.values_list("pk", flat=True)[:2], *wanted.values_list("pk", flat=True)}


def _is_needed(version: ModelVersion) -> bool:
    """Whether a training goes on from it."""
    return TrainingRun.objects.unfinished().filter(base=version).exists()


def _has_something(each: Leaving) -> bool:
    version = each.version
    dressed = version.texts or PhotoTag.objects.filter(version=version).exists()
    if not each.is_whole:
        return bool(dressed) or index_folder(version).exists()
    return bool(dressed) or bool(_own_folder(version)) or each.sights > 0


def _let_go(each: Leaving) -> None:
    version = each.version
    readying.forget(version)
    shutil.rmtree(index_folder(version), ignore_errors=True)
    if not each.is_whole:
        return
    sights = Sight.objects.filter(version=version)
    while portion := list(sights.values_list("pk", flat=True)[:PORTION]):
        Sight.objects.filter(pk__in=portion).delete()
    if folder := _own_folder(version):
        shutil.rmtree(folder)
        version.delete()


def _own_folder(version: ModelVersion) -> Path | None:
    """Its folder, if it was made or fetched here; none of those that ship, and none elsewhere."""
    folder = weights_folder(version)
    is_here = folder.parent.resolve() == models_folder().resolve()
    return folder if version.folder and is_here and folder.exists() else None
