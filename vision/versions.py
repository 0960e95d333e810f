"""Version folders: what ships as a model, and the checks before a byte of it is used.

A version is a folder with `manifest.json`, which names the networks, their configuration and the
SHA-256 of every file. A file may lie in the folder of another version that ships ("in"), so that
two versions with one backbone or text side keep it once. Only ONNX, safetensors, JSON and CSV are
ever read; anything else, pickles above all, is refused without opening it. Torch-free, as the web
process reads the text side.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from vision.errors import NotFinite, WeightsError
from vision.onnx_safety import check_onnx

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT_VERSION = "lite2-2026.11d"
FORMAT = 1
LARGEST_MANIFEST = 4_000_000  # bytes; the one that ships has 25,000
CLASSIFIER = "classifier:"  # begins the names of parts that were trained on other problems
READABLE = {".onnx", ".safetensors", ".json", ".csv"}


@dataclass(frozen=True)
class Version:
    """One version folder. Every file is verified when it is asked for."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return self.manifest["name"]

    @cached_property
    def parts(self) -> dict[str, dict[str, Any]]:
        """Specification of each network: `backbone`, `text`, `embedding`, `tags`, `captions`, and a
        `classifier:NAME` for each problem that was trained on here."""
        return self.manifest["parts"]

    def part(self, name: str) -> dict[str, Any]:
        """The specification of one network. Raises WeightsError when the version has none."""
        if name not in self.parts:
            raise WeightsError(f"The model version {self.name} has no part called {name!r}.")
        return self.parts[name]

    def path(self, file: str) -> Path:
        """Where a file is, once its name, kind and SHA-256 are as the manifest says.

        An ONNX file must not reach outside of itself either.
        """
        content = self._read(file)
        if file.endswith(".onnx"):
            check_onnx(content, self._named(file))
        return self.place(file)

    def arrays(self, file: str) -> dict[str, NDArray[np.generic]]:
        """The arrays of a safetensors file, all of them finite numbers."""
        try:
            arrays = load(self._read(file))
        except (SafetensorError, ValueError) as error:
            raise WeightsError(f"{self._named(file)} is not a safetensors file: {error}.") from None
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise NotFinite(
                    f"{self._named(file)} holds a weight that is not a number in {name!r}; "
                    "train or fetch the version again."
                )
        return arrays

    def text(self, file: str) -> str:
        """A JSON or CSV file as text."""
        try:
            return self._read(file).decode("utf-8")
        except UnicodeDecodeError:
            raise WeightsError(f"{self._named(file)} is not text.") from None

    def _read(self, file: str) -> bytes:
        check_file_name(file)
        listed = self.manifest["files"].get(file)
        if listed is None:
            raise WeightsError(f"{self._named(file)} is not listed in the manifest.")
        if self.place(file).is_symlink():
            raise WeightsError(f"{self._named(file)} was refused: it is a link to another file.")
        try:
            content = self.place(file).read_bytes()
        except OSError as error:
            raise WeightsError(f"{self._named(file)} cannot be read: {error.strerror}.") from None
        if hashlib.sha256(content).hexdigest() != listed["sha256"]:
            raise WeightsError(
                f"{self._named(file)} is not the file that the manifest describes (its SHA-256 "
                "differs); restore it from the repository or fetch the version again."
            )
        return content

    def place(self, file: str) -> Path:
        """In the version's folder, or in that of the version that ships which lends the file."""
        lender = self.manifest["files"][file].get("in")
        return (WEIGHTS / lender if lender else self.folder) / file

    def _named(self, file: str) -> str:
        return f"{file} of the model version {self.name}"


def classifiers_of(version: Version) -> list[str]:
    """Names of the parts that were trained on other problems, in the order of the alphabet."""
    return sorted(name for name in version.parts if name.startswith(CLASSIFIER))


def open_version(version_or_folder: str | Path | None = None) -> Version:
    """Open a version that ships, by name, or any folder; None means the default version.

    Raises WeightsError when it is not there or its manifest cannot be used.
    """
    folder = _find(DEFAULT_VERSION if version_or_folder is None else version_or_folder)
    manifest_path = folder / "manifest.json"
    try:
        _check_size(manifest_path)
        manifest = json.loads(manifest_path.read_text("utf-8"))
    except OSError:
        known = ", ".join(shipped_versions()) or "none"
        raise WeightsError(
            f"{version_or_folder or DEFAULT_VERSION} is no model version: {manifest_path} cannot "
            f"be read. Versions that ship: {known}."
        ) from None
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{manifest_path} is not valid JSON: {error}.") from None
    check_manifest(manifest, manifest_path)
    return Version(folder, manifest)


def lender_of(sha256: str, file: str, *, borrower: str) -> str | None:
    """The version that ships and has `file` with that very content in its own folder, if any."""
    for name in shipped_versions():
        listed = open_version(name).manifest["files"].get(file, {})
        if name != borrower and listed.get("sha256") == sha256 and "in" not in listed:
            return name
    return None


def shipped_versions() -> list[str]:
    """Names of the versions in the repository."""
    return sorted(path.parent.name for path in WEIGHTS.glob("*/manifest.json"))


def check_manifest(manifest: object, path: Path) -> None:
    """Raise WeightsError unless a manifest has the form that this code reads."""
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise WeightsError(f"{path} is not a manifest of format {FORMAT}; update Marea or it.")
    for key, kind in {"name": str, "parts": dict, "files": dict}.items():
        if not isinstance(manifest.get(key), kind):
            raise WeightsError(f"{path} lacks {key!r}.")
    for part, spec in manifest["parts"].items():
        if not isinstance(spec, dict):
            raise WeightsError(f"{path} says nothing usable of the part {part[:80]!r}.")
    for file, listed in manifest["files"].items():
        check_file_name(file)
        sha256, lender = _described(listed)
        if not sha256 or lender is None or Path(lender).name != lender or lender == "..":
            raise WeightsError(f"{path} says nothing usable of {file}: {str(listed)[:200]}.")


def _described(listed: object) -> tuple[str, str | None]:
    """The SHA-256 and the lender that a manifest names for a file; empty and None where they are
    no words."""
    if not isinstance(listed, dict):
        return "", None
    sha256, lender = listed.get("sha256"), listed.get("in", "")
    return (
        sha256 if isinstance(sha256, str) else "",
        lender if isinstance(lender, str) else None,
    )


def _check_size(manifest: Path) -> None:
    if manifest.stat().st_size > LARGEST_MANIFEST:
        raise WeightsError(f"{manifest} is larger than any manifest; it was refused unopened.")


def check_file_name(file: str) -> None:
    """Refuse names outside the folder and every kind of file that could carry code."""
    if Path(file).name != file or not file.isprintable():
        raise WeightsError(f"A model version may only name files in its own folder, not {file!r}.")
    if Path(file).suffix not in READABLE:
        raise WeightsError(
            f"{file} was refused unopened: weights are read from .onnx and .safetensors only, "
            "because a pickle can run code when it is opened."
        )


def _find(version_or_folder: str | Path) -> Path:
    """A bare name means a version that ships; anything else is a folder."""
    if isinstance(version_or_folder, str) and Path(version_or_folder).name == version_or_folder:
        return WEIGHTS / version_or_folder
    return Path(version_or_folder)
