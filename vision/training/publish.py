"""Write a version folder: files, manifest with hashes, metrics and a model card; whole or not."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from vision.errors import TrainingError
from vision.versions import FORMAT, Version, check_file_name, lender_of, open_version


@dataclass(slots=True)
class Draft:
    """A version in the making: specification of each part and the folder its files are in."""

    name: str
    folder: Path
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def start(cls, name: str, folder: Path, *, base: Version | None = None) -> "Draft":
        """An empty draft, or a copy of `base` whose parts may then be replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        draft = cls(name, folder)
        if base:
            draft.parts |= base.parts
            for file in {file for spec in base.parts.values() for file in files_of(spec)}:
                shutil.copyfile(base.path(file), folder / file)
        return draft

    def publish(self, to: Path, *, metrics: Mapping[str, Any], card: str) -> Path:
        """Move the draft's files to the new folder `to` with manifest, metrics and card.

        Raises TrainingError when `to` exists: a version never changes.
        """
        if to.exists():
            raise TrainingError(f"{to} already exists; give the new version another name.")
        partial = to.with_name(f".{to.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        files = sorted({file for spec in self.parts.values() for file in files_of(spec)})
        listed = {file: describe_file(self.folder / file, borrower=self.name) for file in files}
        for file, description in listed.items():
            if "in" not in description:
                shutil.copyfile(self.folder / file, partial / file)
        _write_json(partial / "manifest.json", self._manifest(listed))
        _write_json(partial / "metrics.json", metrics)
        (partial / "card.md").write_text(card, encoding="utf-8")
        partial.rename(to)
        return to

    def trial(self, folder: Path) -> Version:
        """The draft as a version in `folder`, in place of an earlier one: to ask what is done."""
        shutil.rmtree(folder, ignore_errors=True)
        return open_version(self.publish(folder, metrics={}, card=""))

    def _manifest(self, listed: dict[str, dict[str, Any]]) -> dict[str, Any]:
        return {"format": FORMAT, "name": self.name, "parts": self.parts, "files": listed}


def files_of(spec: Mapping[str, Any]) -> list[str]:
    """The files that a part's specification names: its text values that end like one."""
    endings = (".onnx", ".safetensors", ".json", ".csv")
    return [value for value in spec.values() if isinstance(value, str) and value.endswith(endings)]


def describe_file(path: Path, *, borrower: str) -> dict[str, Any]:
    """What the manifest of version `borrower` says of a file: a version that ships may lend it."""
    check_file_name(path.name)
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    lender = lender_of(sha256, path.name, borrower=borrower)
    return {"sha256": sha256, "bytes": len(content)} | ({"in": lender} if lender else {})


def save_half(module: nn.Module, path: Path) -> None:
    """Write a module's weights as float16 safetensors; heads lose nothing measurable by it."""
    from safetensors.torch import save_file

    save_file(
        {name: value.half().contiguous() for name, value in module.state_dict().items()}, path
    )


def current_commit() -> str:
    """The commit that the code is at, for the card; "unknown" outside a repository."""
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    try:
        here = Path(__file__).parent
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def data_fingerprint(archives: list[Path]) -> str:
    """A hash over names and contents of the archives trained on."""
    digest = hashlib.sha256()
    for path in sorted(archives):
        digest.update(f"{path.parent.name}/{path.name}".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
