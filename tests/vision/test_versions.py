"""What a version folder must be before a byte of it is used."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from tests.vision.folders import write_version
from vision.errors import WeightsError
from vision.heads.embedding import EmbeddingConfig, ImageTower, LinearEmbedder
from vision.heads.loading import load_weights
from vision.training.publish import Draft
from vision.versions import DEFAULT_VERSION, open_version, shipped_versions

SMALL = EmbeddingConfig(pooled=3, stride16=1, embed_dim=2)
GOOD = {
    "linear.weight": np.ones((2, 4), dtype=np.float16),
    "linear.bias": np.zeros(2, dtype=np.float16),
}


class Trap:
    """Touches a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def _load(folder: Path, file: str = "embedding.safetensors") -> ImageTower:
    return load_weights(ImageTower(SMALL), open_version(folder), file, device="cpu")


def test_the_default_version_ships() -> None:
    assert DEFAULT_VERSION in shipped_versions()
    assert open_version().name == DEFAULT_VERSION


def test_good_weights_load_as_float32(tmp_path: Path) -> None:
    tower = _load(write_version(tmp_path / "v", {"embedding.safetensors": save(GOOD)}, {}))
    assert tower.linear.weight.dtype.itemsize == 4
    assert tower.linear.weight.tolist() == [[1.0] * 4] * 2


@pytest.mark.parametrize("name", ["weights.pt", "weights.pth", "weights.pkl", "weights.bin"])
def test_pickles_are_refused_unopened(tmp_path: Path, name: str) -> None:
    sprung = tmp_path / "sprung"
    folder = write_version(tmp_path / "v", {name: pickle.dumps(Trap(sprung))}, {})
    with pytest.raises(WeightsError, match="refused unopened"):
        open_version(folder)
    assert not sprung.exists()


def test_a_pickle_named_safetensors_is_refused(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    content = pickle.dumps(Trap(sprung))
    folder = write_version(tmp_path / "v", {"embedding.safetensors": content}, {})
    with pytest.raises(WeightsError, match="not a safetensors file"):
        _load(folder)
    assert not sprung.exists()


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "v", {"embedding.safetensors": save(GOOD)}, {})
    path = folder / "embedding.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="SHA-256"):
        _load(folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "v", {"embedding.safetensors": save(GOOD)}, {})
    (folder / "embedding.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"embedding\.safetensors .* cannot be read"):
        _load(folder)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    bad = {**GOOD, "linear.bias": np.array([0.0, np.nan], dtype=np.float16)}
    folder = write_version(tmp_path / "v", {"embedding.safetensors": save(bad)}, {})
    with pytest.raises(WeightsError, match=r"not a number in 'linear\.bias'"):
        _load(folder)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    bad = {**GOOD, "linear.weight": np.ones((2, 5), dtype=np.float16)}
    folder = write_version(tmp_path / "v", {"embedding.safetensors": save(bad)}, {})
    with pytest.raises(WeightsError, match=r"shape \(2, 5\).*needs \(2, 4\)"):
        _load(folder)


def test_missing_and_unknown_weights_are_named(tmp_path: Path) -> None:
    bad = {"linear.weight": GOOD["linear.weight"], "extra": np.zeros(1, dtype=np.float16)}
    folder = write_version(tmp_path / "v", {"embedding.safetensors": save(bad)}, {})
    with pytest.raises(WeightsError, match=r"extra, linear\.bias"):
        _load(folder)


def test_names_outside_the_folder_are_refused(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "v", {}, {})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {"../secret.json": {"sha256": "0"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match="own folder"):
        open_version(folder)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not valid JSON"),
        ("[]", "format 1"),
        ('{"format": 2}', "format 1"),
        ('{"format": 1, "name": "x", "parts": {}}', "lacks 'files'"),
    ],
)
def test_a_bad_manifest_is_explained(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(WeightsError, match=reason):
        open_version(tmp_path)


def test_an_unknown_version_says_which_ship() -> None:
    with pytest.raises(WeightsError, match=DEFAULT_VERSION):
        open_version("lite9-1999.01")


def test_a_version_without_a_part_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no part called 'text'"):
        open_version(write_version(tmp_path / "v", {}, {})).part("text")


def test_a_head_loads_from_any_folder(tmp_path: Path) -> None:
    spec = {
        "name": "linear",
        "file": "embedding.safetensors",
        "config": {"pooled": 3, "stride16": 1, "embed_dim": 2},
    }
    files = {"embedding.safetensors": save(GOOD)}
    folder = write_version(tmp_path / "v", files, {"embedding": spec})
    assert LinearEmbedder(open_version(folder), spec, "cpu").tower.linear.in_features == 4


def test_a_version_that_ships_lends_its_files(tmp_path: Path) -> None:
    draft = Draft.start("borrower", tmp_path / "draft", base=open_version())
    (tmp_path / "draft" / "words.json").write_text('["other words"]')
    folder = draft.publish(tmp_path / "borrower", metrics={}, card="")

    files = json.loads((folder / "manifest.json").read_text())["files"]
    assert files["tokenizer.json"]["in"] == open_version().place("tokenizer.json").parent.name
    assert not (folder / "tokenizer.json").exists()
    assert open_version(folder).text("tokenizer.json") == open_version().text("tokenizer.json")
    assert open_version(folder).text("words.json") == '["other words"]'


@pytest.mark.parametrize("lender", ["../weights/other", "/etc", 7])
def test_a_lender_outside_the_weights_is_refused(tmp_path: Path, lender: object) -> None:
    folder = write_version(tmp_path / "v", {"embedding.safetensors": save(GOOD)}, {})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["embedding.safetensors"]["in"] = lender
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match="nothing usable"):
        open_version(folder)
