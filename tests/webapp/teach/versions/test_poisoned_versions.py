"""Version folders that somebody made to do harm, or that broke: refused, with a sentence."""

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from tests.vision.folders import write_version
from vision.errors import NotFinite, WeightsError
from vision.versions import LARGEST_MANIFEST, open_version
from webapp.errors import Refused
from webapp.teach.versions.folders import PICKLES, verify

CODE = b"cos\nsystem\n(S'touch /tmp/poisoned'\ntR."
GOOD = save({"w": np.ones((2, 2), np.float32)})


def header(content: bytes, *, length: int | None = None) -> bytes:
    """A safetensors file with this header, whatever it says of its length."""
    return struct.pack("<Q", len(content) if length is None else length) + content


def tensor(**changes: Any) -> bytes:
    described = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | changes
    return header(json.dumps({"w": described}).encode()) + b"\0" * 4


SAFETENSORS = {
    "empty": b"",
    "a pickle": CODE,
    "cut off": GOOD[:-3],
    "a header of nine exabytes": header(b"{}", length=2**63),
    "a header beyond the file": header(b"{}", length=10_000),
    "a header that is no JSON": header(b"{'w': 1"),
    "a header that is a list": header(b"[]"),
    "a header deep as a well": header(b"[" * 100_000),
    "a type that is none": tensor(dtype="OBJECT"),
    "a shape of terabytes": tensor(shape=[2**40]),
    "a shape that is negative": tensor(shape=[-1]),
    "data beyond the file": tensor(data_offsets=[0, 2**40]),
    "data that ends before it begins": tensor(data_offsets=[4, 0]),
    "data before the file": tensor(data_offsets=[-4, 0]),
    "the same tensor twice": header(b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
    b'"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}') + b"\0" * 4,
}  # fmt: skip


@pytest.mark.parametrize("how", SAFETENSORS)
def test_weights_that_are_no_safetensors_are_not_read(tmp_path: Path, how: str) -> None:
    folder = write_version(tmp_path / "v", {"w.safetensors": SAFETENSORS[how]}, {})
    with pytest.raises(WeightsError, match="is not a safetensors file"):
        open_version(folder).arrays("w.safetensors")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_not_read(tmp_path: Path, number: float) -> None:
    weights = np.ones((2, 2), np.float32)
    weights[1, 1] = number
    folder = write_version(tmp_path / "v", {"w.safetensors": save({"w": weights})}, {})
    with pytest.raises(NotFinite, match="not a number"):
        open_version(folder).arrays("w.safetensors")


NAMES = (
    "../w.safetensors", "/etc/w.safetensors", "a/w.safetensors", "./w.safetensors", "..", ".", "",
    "w.safetensors/", "w\0.safetensors", "w\n.safetensors", "w.pt", "w.pkl", "w.bin", "w.py",
    "w.so", "w.onnx.pkl", "w", "w.h5", "w.npz", "w.SAFETENSORS",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_elsewhere_or_to_code_are_refused(tmp_path: Path, name: str) -> None:
    with_manifest(tmp_path, files={name: {"sha256": hashlib.sha256(b"").hexdigest()}})
    with pytest.raises(Refused):
        verify(tmp_path)


def with_manifest(folder: Path, **changes: Any) -> None:
    manifest = {"format": 1, "name": "v", "parts": {}, "files": {}} | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))


SHA = hashlib.sha256(GOOD).hexdigest()
FIELDS: dict[str, dict[str, Any]] = {
    "another format": {"format": 2},
    "a name that is a number": {"name": 5},
    "parts that are a list": {"parts": []},
    "a part that is a number": {"parts": {"backbone": 5}},
    "files that are a list": {"files": ["w.safetensors"]},
    "a file without a hash": {"files": {"w.safetensors": {}}},
    "a hash that is a number": {"files": {"w.safetensors": {"sha256": 5}}},
    "a file that is a word": {"files": {"w.safetensors": SHA}},
    "another hash": {"files": {"w.safetensors": {"sha256": "0" * 64}}},
    "a file that is not there": {"files": {"x.safetensors": {"sha256": SHA}}},
    "a lender outside": {"files": {"w.safetensors": {"sha256": SHA, "in": "../../etc"}}},
    "a lender above": {"files": {"w.safetensors": {"sha256": SHA, "in": ".."}}},
    "a lender that is a number": {"files": {"w.safetensors": {"sha256": SHA, "in": 5}}},
    "a lender that does not ship": {"files": {"w.safetensors": {"sha256": SHA, "in": "nobody"}}},
}


@pytest.mark.parametrize("how", FIELDS)
def test_manifests_that_say_nothing_usable_are_refused(tmp_path: Path, how: str) -> None:
    (tmp_path / "w.safetensors").write_bytes(GOOD)
    with_manifest(tmp_path, **FIELDS[how])
    with pytest.raises(Refused):
        verify(tmp_path)


MANIFESTS: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "a pickle": CODE,
    "no text": b"\xff\xfe\x00",
    "a number": b"5",
    "deep as a well": b"[" * 200_000,
    "too large": b" " * (LARGEST_MANIFEST + 1),
}


@pytest.mark.parametrize("how", MANIFESTS)
def test_manifests_that_are_none_are_refused(tmp_path: Path, how: str) -> None:
    (tmp_path / "manifest.json").write_bytes(MANIFESTS[how])
    with pytest.raises(Refused):
        verify(tmp_path)


@pytest.mark.parametrize("ending", sorted(PICKLES))
def test_a_folder_with_a_pickle_in_it_is_refused_unopened(tmp_path: Path, ending: str) -> None:
    folder = write_version(tmp_path / "v", {}, {})
    (folder / f"w{ending}").write_bytes(CODE)
    with pytest.raises(Refused, match="refused unopened"):
        verify(folder)


def linked(folder: Path, elsewhere: Path) -> None:
    (folder / "w.safetensors").symlink_to(elsewhere)


def linked_to_itself(folder: Path, elsewhere: Path) -> None:
    (folder / "w.safetensors").symlink_to(folder / "w.safetensors")


def a_folder(folder: Path, elsewhere: Path) -> None:
    (folder / "w.safetensors").mkdir()


@pytest.mark.parametrize("place", [linked, linked_to_itself, a_folder])
def test_a_file_that_is_a_link_or_a_folder_is_refused(
    tmp_path: Path, place: Callable[[Path, Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere.safetensors"
    elsewhere.write_bytes(GOOD)
    (folder := tmp_path / "v").mkdir()
    with_manifest(folder, files={"w.safetensors": {"sha256": SHA}})
    place(folder, elsewhere)
    with pytest.raises(Refused):
        verify(folder)


def test_a_good_folder_is_not_refused(tmp_path: Path) -> None:
    verify(write_version(tmp_path / "v", {"w.safetensors": GOOD}, {"backbone": {"name": "x"}}))
