"""Model versions that were trained or pulled here; those that ship need no backup."""

import shutil
from pathlib import Path

from webapp.teach.versions.folders import models_folder

MODELS = "models"


def keep_versions(folder: Path) -> None:
    """Have every local version in the backup; a version never changes once it is there."""
    copy_new(models_folder(), folder / MODELS)


def bring_back_versions(folder: Path) -> None:
    """Have every version of the backup here; what is here already stays."""
    copy_new(folder / MODELS, models_folder())


def copy_new(source: Path, target: Path) -> None:
    """Have every folder of `source` with a manifest in `target`, each whole or not at all."""
    for manifest in source.glob("[!.]*/manifest.json"):
        version = manifest.parent
        done, partial = target / version.name, target / f".{version.name}.partial"
        if not done.exists():
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(version, partial)
            partial.rename(done)
