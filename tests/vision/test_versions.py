"""What a version folder must be before a byte of it is used."""

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save

from tests.vision.folders import write_version
from vision.errors import WeightsError
from vision.heads.embedding import EmbeddingConfig, ImageTower, LinearEmbedder
from vision.heads.loading import load_weights
from vision.text_encoder import TextEncoder
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


def _header(length: int, header: bytes = b"{}") -> bytes:
    return struct.pack("<Q", length) + header


HUGE = b'{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}'
BEYOND = b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,999999999]}}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        _header(2**63),
        _header(10**12),
        _header(len(HUGE), HUGE) + bytes(16),
        _header(len(BEYOND), BEYOND) + bytes(16),
        _header(4, b"[[[["),
        save(GOOD)[:-1],
    ],
    ids=["empty", "endless", "absurd", "huge", "beyond", "no JSON", "truncated"],
)
def test_an_absurd_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = write_version(tmp_path / "v", {"embedding.safetensors": content}, {})
    with pytest.raises(WeightsError, match="not a safetensors file"):
        _load(folder)


def _onnx(**node: str) -> onnx.ModelProto:
    """ids -> embedding, through one weight."""
    ids = helper.make_tensor_value_info("ids", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1])
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [2.0])
    add = helper.make_node("Add", ["ids", "w"], ["embedding"], **node)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(node.get("domain", ""), 1)]
    graph = helper.make_graph([add], "g", [ids], [out], [weight])
    return helper.make_model(graph, opset_imports=opsets[: 1 + bool(node)], ir_version=8)


def _outside(model: onnx.ModelProto, tensor: TensorProto) -> onnx.ModelProto:
    """Its weight is said to lie in a file outside of the folder."""
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    location = tensor.external_data.add()
    location.key, location.value = "location", "../../secret"
    return model


def _outside_weight() -> onnx.ModelProto:
    model = _onnx()
    return _outside(model, model.graph.initializer[0])


def _outside_constant_of_a_branch() -> onnx.ModelProto:
    """The same, hidden in a constant of a branch of an if."""
    model = _onnx()
    constant = helper.make_tensor("c", TensorProto.FLOAT, [1], [2.0])
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["b"], value=constant)], "b", [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, [1])],
    )  # fmt: skip
    node = helper.make_node("If", ["ids"], ["x"], then_branch=branch, else_branch=branch)
    model.graph.node.append(node)
    hidden = model.graph.node[-1].attribute[0].g.node[0].attribute[0].t
    return _outside(model, hidden)


def _foreign_operator() -> onnx.ModelProto:
    return _onnx(domain="evil.ops")


def _truncated_onnx() -> bytes:
    return _onnx().SerializeToString()[:-3]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_outside_weight, "keeps weights in other files"),
        (_outside_constant_of_a_branch, "keeps weights in other files"),
        (_foreign_operator, "operators of 'evil.ops'"),
        (_truncated_onnx, "no complete ONNX file"),
    ],
)
def test_an_onnx_file_that_reaches_outside_of_itself_is_refused(
    tmp_path: Path, make: Callable[[], onnx.ModelProto | bytes], reason: str
) -> None:
    model = make()
    content = model if isinstance(model, bytes) else model.SerializeToString()
    (tmp_path / "secret").write_bytes(bytes(4))
    spec = {"text": {"onnx": "text.onnx", "tokenizer": "t.json", "max_tokens": 8}}
    folder = write_version(tmp_path / "a" / "v", {"text.onnx": content}, spec)
    with pytest.raises(WeightsError, match=reason):
        TextEncoder(open_version(folder))


def test_an_onnx_file_of_its_own_is_taken(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "v", {"text.onnx": _onnx().SerializeToString()}, {})
    assert open_version(folder).path("text.onnx").name == "text.onnx"


def test_an_onnx_file_that_is_none_is_refused(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    folder = write_version(tmp_path / "v", {"text.onnx": pickle.dumps(Trap(sprung))}, {})
    with pytest.raises(WeightsError, match="no complete ONNX file"):
        open_version(folder).path("text.onnx")
    assert not sprung.exists()
