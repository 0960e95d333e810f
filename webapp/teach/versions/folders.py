"""Model versions: which there are, what is known about them, and whether they may be used."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from vision.errors import WeightsError
from vision.versions import Version, open_version, shipped_versions
from webapp.errors import NotFound, Refused
from webapp.teach.models import ModelVersion, Sight
from webapp.teach.services import SHIPPED_WEIGHTS, active_version, weights_folder

PARTS = ("backbone", "text", "embedding", "tags", "captions")
PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib"}


@dataclass(frozen=True)
class Known:
    """A version on this machine, as `models list` shows it."""

    name: str
    folder: Path
    size_bytes: int
    metrics: dict[str, Any]
    is_active: bool
    photos_seen: int
    lacks: tuple[str, ...]  # parts without which it cannot be put to work


def models_folder() -> Path:
    """Where versions that were trained or pulled here are kept."""
    return Path(settings.MAREA_DATA) / "models"


def folder_to_measure() -> Path:
    """The active version's weights; in a clone that was never run, the version that ships."""
    try:
        return weights_folder(active_version())
    except DatabaseError:
        return SHIPPED_WEIGHTS / settings.MAREA_MODEL


def known_versions() -> list[Known]:
    """Every version that could be activated, by name."""
    active = active_version()
    return [_known(name, folder, active) for name, folder in sorted(_folders().items())]


def unregistered(registered: Collection[str]) -> list[str]:
    """Names of versions on this machine that could be put to work and never looked at a photo."""
    found = sorted(_folders().items())
    return [name for name, folder in found if name not in registered and not _lacks(folder)]


def _folders() -> dict[str, Path]:
    manifests = models_folder().glob("[!.]*/manifest.json")
    local = {path.parent.name: path.parent for path in manifests}
    registered = {version.name: weights_folder(version) for version in ModelVersion.objects.all()}
    return local | registered | {name: SHIPPED_WEIGHTS / name for name in shipped_versions()}


def _known(name: str, folder: Path, active: ModelVersion) -> Known:
    files = [path for path in folder.glob("*") if path.is_file()]
    return Known(
        name=name,
        folder=folder,
        size_bytes=sum(path.stat().st_size for path in files),
        metrics=_metrics(folder),
        is_active=name == active.name,
        photos_seen=Sight.objects.filter(version__name=name).count(),
        lacks=_lacks(folder),
    )


def _lacks(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(part for part in PARTS if part not in open_version(folder).parts)
    except WeightsError:
        return ()  # what is wrong with it is said when it is asked for


def _metrics(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "metrics.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def register(name: str) -> ModelVersion:
    """The row of the version called `name`, every file of which was verified.

    Raises `NotFound` for a name that nobody knows, `Refused` for weights that may not be used.
    """
    folder = folder_of(name)
    digest = verify(folder)
    if lacks := _lacks(folder):
        raise Refused(
            f"{name} cannot be put to work alone: it lacks {', '.join(lacks)}. Fit them to your "
            f"own photos first: manage.py models adopt {name}."
        )
    version, _ = ModelVersion.objects.get_or_create(name=name, defaults={"folder": _place(folder)})
    if version.digest and version.digest != digest:
        raise Refused(
            f"{name} is not the version that was activated before: its manifest has changed. Give "
            "changed weights another name."
        )
    version.digest, version.metrics = digest, _metrics(folder)
    version.save(update_fields=["digest", "metrics"])
    return version


def folder_of(name: str) -> Path:
    """Where the version called `name` is. Raises `NotFound` with those that are known."""
    folder = _folders().get(name)
    if folder is None:
        known = ", ".join(sorted(_folders())) or "none"
        raise NotFound(f"There is no model version {name}. Known: {known}.")
    return folder


def _place(folder: Path) -> str:
    """What `weights_folder` finds the folder by, also when the data folder has moved."""
    if folder.parent == SHIPPED_WEIGHTS:
        return ""
    local = folder.is_relative_to(settings.MAREA_DATA)
    return str(folder.relative_to(settings.MAREA_DATA) if local else folder)


def verify(folder: Path) -> str:
    """The SHA-256 of the manifest, once each file is what it says. Raises `Refused` with why."""
    pickles = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLES)
    if pickles:
        raise Refused(
            f"{folder.name} was refused unopened: {pickles[0]} may be a pickle, which can run code "
            "when it is opened. Weights are .safetensors or .onnx."
        )
    try:
        _verify_files(open_version(folder))
    except WeightsError as error:
        raise Refused(str(error)) from error
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def _verify_files(version: Version) -> None:
    for file in version.manifest["files"]:
        version.path(file)
