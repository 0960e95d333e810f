"""Versions with the weights of the one that ships, as if parts of them had been trained anew."""

import json
from pathlib import Path

from vision.versions import DEFAULT_VERSION, open_version


def a_twin(folder: Path, *, differs_in: str = "backbone") -> Path:
    """A folder whose manifest names the shipped files, with another specification of one part;
    "" for the very same parts."""
    shipped = open_version(DEFAULT_VERSION)
    manifest = json.loads((shipped.folder / "manifest.json").read_text())
    manifest["name"] = folder.name
    if differs_in:
        manifest["parts"][differs_in] |= {"twin": folder.name}
    for listed in manifest["files"].values():
        listed.setdefault("in", shipped.name)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
