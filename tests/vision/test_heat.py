"""Heat maps: they add up to the similarity, point at what is asked for, and need no torch."""

import io
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import save

from tests.vision.folders import draw, write_version
from vision.backbones.base import Features
from vision.cells import Seen, gelu_slope, open_head
from vision.errors import WeightsError
from vision.heads.image_head import DescribedEmbedder, ImageHeadConfig, ShippedHead
from vision.heat import heat_png, load_heat_mapper, spread
from vision.versions import open_version

CONFIG = ImageHeadConfig(hidden=4, embed_dim=512)


def write_described(folder: Path, *, bent: bool = False) -> Path:
    """A version with the backbone that ships and a random head, linear unless `bent`."""
    torch.manual_seed(0)
    shipped = ShippedHead(CONFIG)
    with torch.no_grad():
        for parameter in shipped.parameters():
            parameter.normal_(std=0.02)
        shipped.names.normal_(std=5.0)
        if not bent:
            shipped.head.down.weight.zero_()
        shipped.generic.zero_()
    spec = open_version().part("backbone")
    files = {
        "embedding.safetensors": save({k: v.contiguous() for k, v in shipped.state_dict().items()}),
        "backbone.int8.onnx": open_version().path(spec["onnx"]).read_bytes(),
    }
    part = {"name": "described", "file": "embedding.safetensors", "config": asdict(CONFIG)}
    return write_version(folder, files, {"backbone": spec, "embedding": part})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_described(tmp_path_factory.mktemp("versions") / "linear")


def seen_at_random() -> Seen:
    """A photo whose pooled features are what its cells give, as in a backbone."""
    rng = np.random.default_rng(1)
    grid, stride16 = rng.normal(size=(9, 9, 352)), rng.normal(size=120)
    return Seen(*(a.astype(np.float32) for a in (np.zeros(1280), stride16, grid, np.zeros(1000))))


def test_what_cells_give_adds_up_to_the_similarity(folder: Path) -> None:
    head, seen = open_head(open_version(folder)), seen_at_random()
    weights = head.weights
    cells = seen.grid.reshape(81, 352) @ weights["cells.weight"].T + weights["cells.bias"]
    pooled = np.clip(cells, 0, 6).mean(axis=0)
    query = np.random.default_rng(2).normal(size=512).astype(np.float32)
    seen = Seen(pooled, seen.stride16, seen.grid, np.full(1000, -1.0, np.float32))
    weights["names"][:] = 0.0  # linear but for the class probabilities
    grid = seen.grid.reshape(81, 352)
    parts = [pooled, np.zeros(120), np.zeros(384), np.zeros(384), grid.mean(0), grid.max(0)]
    whole = query @ weights["head.linear.weight"] @ np.concatenate(parts)
    assert head.shares(seen, query).mean() == pytest.approx(whole, rel=1e-3)


def test_class_names_pull_at_cells_by_the_gradient(tmp_path: Path) -> None:
    """Against finite differences of the network itself, by torch."""
    version = open_version(write_described(tmp_path / "bent", bent=True))
    head, seen = open_head(version), seen_at_random()
    embedder = DescribedEmbedder(version, version.part("embedding"), "cpu")
    query = np.random.default_rng(2).normal(size=512).astype(np.float32)
    logits = np.random.default_rng(3).normal(size=1000).astype(np.float32)
    seen = Seen(seen.pooled, seen.stride16, seen.grid, logits)
    slope = head._slope(seen, seen.grid.reshape(81, 352), query)
    by_logit = head._through_names(seen, slope[2:4])

    def unnormalised(logits: np.ndarray) -> float:
        from vision.heads.image_head import describe

        features = Features(*(x[None] for x in (seen.pooled, seen.stride16, seen.grid, logits)))
        described = describe(features, embedder.names_CE, CONFIG.temperatures)
        with torch.inference_mode():
            return float(embedder.head.before_norm(torch.from_numpy(described))[0].numpy() @ query)

    nudge = np.random.default_rng(4).normal(size=1000).astype(np.float32)
    step = (unnormalised(logits + 0.05 * nudge) - unnormalised(logits - 0.05 * nudge)) / 0.1
    assert by_logit @ nudge == pytest.approx(step, rel=0.05)


def test_a_map_lies_between_nothing_and_one(folder: Path) -> None:
    mapper = load_heat_mapper(folder)
    heat = mapper.map(draw(0), np.random.default_rng(0).normal(size=512).astype(np.float32))
    assert heat.shape == (9, 9)
    assert heat.dtype == np.float32
    assert heat.min() == 0.0
    assert heat.max() == 1.0


def test_an_even_map_is_cold() -> None:
    assert not spread(np.full((3, 3), 7.0, np.float32)).any()


def test_gelu_bends_as_torch_says() -> None:
    x = torch.linspace(-4, 4, 41, requires_grad=True)
    torch.nn.functional.gelu(x).sum().backward()
    assert x.grad is not None
    assert gelu_slope(x.detach().numpy()) == pytest.approx(x.grad.numpy(), abs=1e-5)


def test_the_picture_is_translucent_only_where_it_is_hot() -> None:
    heat = np.zeros((9, 9), np.float32)
    heat[4, 4] = 1.0
    picture = Pillow.open(io.BytesIO(heat_png(heat, size=(180, 120))))
    assert picture.mode == "RGBA"
    assert picture.size == (180, 120)
    assert picture.getpixel((0, 0))[3] == 0
    assert picture.getpixel((90, 60))[3] > 100


def test_a_head_that_cannot_say_where_is_refused(tmp_path: Path) -> None:
    parts = {"embedding": {"name": "linear", "file": "x.safetensors"}, "backbone": {}}
    folder = write_version(tmp_path / "old", {}, parts)
    with pytest.raises(WeightsError, match="cannot say where"):
        load_heat_mapper(folder)


def test_maps_need_no_torch(folder: Path) -> None:
    program = (
        "import sys, numpy as np, vision.heat as h\n"
        f"mapper = h.load_heat_mapper({str(folder)!r})\n"
        "mapper.map(np.zeros((20, 30, 3), np.uint8), np.ones(512, np.float32))\n"
        "assert not {'torch', 'onnx'} & set(sys.modules), 'heavy library loaded'"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
