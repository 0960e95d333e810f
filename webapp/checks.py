"""Checks that Django runs before each command: what is missing, and how to get it."""

import json
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from vision.errors import WeightsError
from vision.versions import open_version


@register()
def data_folder_is_writable(**_: Any) -> list[CheckMessage]:
    folders = [settings.MAREA_DATA]
    if not settings.MAREA_S3_BUCKET:
        folders.append(settings.MAREA_ORIGINALS)
    return [
        Error(
            f"Marea may not write to {folder}.",
            hint="Change the folder's owner, or set MAREA_DATA or MAREA_ORIGINALS to another one.",
            id="marea.E001",
        )
        for folder in map(Path, folders)
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK)
    ]


@register()
def search_engine_is_known(**_: Any) -> list[CheckMessage]:
    if settings.SEARCH_ENGINE == "faiss":
        return []
    place = settings.SEARCH_ENGINE.removeprefix("milvus://")
    if place in (settings.SEARCH_ENGINE, "", "/"):
        return [
            Error(
                f"Marea knows no search engine {settings.SEARCH_ENGINE!r}.",
                hint="Unset SEARCH_ENGINE, or set it to faiss or milvus://host:19530.",
                id="marea.E002",
            )
        ]
    if find_spec("pymilvus") and (place[0] != "/" or find_spec("milvus_lite")):
        return []
    return [
        Error(
            "SEARCH_ENGINE asks for Milvus, and the packages to reach it are not installed.",
            hint="Run pip install -r requirements-milvus.txt, or unset SEARCH_ENGINE.",
            id="marea.E003",
        )
    ]


@register()
def weights_are_present(**_: Any) -> list[CheckMessage]:
    """The version that ships can be opened. `doctor` verifies its files, which takes longer."""
    try:
        version = open_version(settings.MAREA_MODEL)
    except WeightsError as error:
        return [
            Warning(
                f"No photo can be looked at: {error}",
                hint="Check out the folder vision/weights again, or set MAREA_MODEL.",
                id="marea.W001",
            )
        ]
    missing = [file for file in version.manifest["files"] if not version.place(file).exists()]
    if not missing:
        return []
    return [
        Warning(
            f"The model version {version.name} lacks {', '.join(missing)}.",
            hint="Check out the folder vision/weights again.",
            id="marea.W002",
        )
    ]


@register()
def browser_packages_are_installed(**_: Any) -> list[CheckMessage]:
    missing = missing_browser_packages(Path(settings.MAREA_FRONTEND))
    if not missing:
        return []
    return [
        Warning(
            f"Pages will not work as they should without {', '.join(missing)}.",
            hint="Run make run once, or npm ci in webapp/frontend.",
            id="marea.W003",
        )
    ]


def missing_browser_packages(node_modules: Path) -> Sequence[str]:
    """Packages of package.json that are not installed in the version it asks for."""
    wanted = json.loads((node_modules.parent / "package.json").read_text())["dependencies"]
    return [
        f"{name} {version}"
        for name, version in wanted.items()
        if _installed_version(node_modules / name) != version
    ]


def _installed_version(folder: Path) -> str | None:
    try:
        return json.loads((folder / "package.json").read_text())["version"]
    except OSError:
        return None
