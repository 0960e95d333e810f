"""The same tests for every network that is registered, and for the registry itself."""

from dataclasses import replace

import numpy as np
import pytest

from tests.vision.folders import draw
from vision.backbones import BACKBONES
from vision.backbones.base import Backbone, Features
from vision.backbones.efficientnet import TorchLite2
from vision.errors import UnknownNetwork
from vision.heads import CAPTIONERS, EMBEDDERS, TAGGERS
from vision.pixels import squash_batch
from vision.registry import Registry
from vision.versions import Version, open_version, shipped_versions

VERSIONS = [open_version(name) for name in shipped_versions()]
GRID_OF = {"efficientnet-lite2": (9, 9, 352)}
# Heads that come over the network; tests/vision/test_strong.py has their tests.
PULLED = {"clip", "siglip", "blip"}


def _made_with(part: str, name: str) -> Version:
    """A version that ships and uses this network."""
    return next(version for version in VERSIONS if version.part(part)["name"] == name)


def _load(registry: Registry, part: str, name: str) -> object:
    version = _made_with(part, name)
    return registry[name](version, version.part(part), "cpu")


def _shipped(part: str) -> list[str]:
    return sorted({version.part(part)["name"] for version in VERSIONS})


@pytest.fixture(scope="module", params=_shipped("backbone"))
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return _load(BACKBONES, "backbone", request.param)


@pytest.fixture(scope="module")
def features(backbone: Backbone) -> Features:
    return backbone(squash_batch([draw(n) for n in range(20)], backbone.input_size))


def test_a_backbone_gives_finite_float32_features(features: Features) -> None:
    assert len(features) == 20
    for part in (features.pooled, features.stride16, features.grid, features.logits):
        assert part.dtype == np.float32
        assert np.isfinite(part).all()
    assert features.grid.shape[1:] in GRID_OF.values()
    assert features.logits.shape == (20, 1000)


def test_a_backbone_sees_a_batch_like_its_photos_one_by_one(backbone: Backbone) -> None:
    pixels = squash_batch([draw(n) for n in range(3)], backbone.input_size)
    together = backbone(pixels)
    for row in range(3):
        alone = backbone(pixels[row : row + 1])
        assert together.pooled[row] == pytest.approx(alone.pooled[0], abs=1e-4)
        assert together.grid[row] == pytest.approx(alone.grid[0], abs=1e-4)


@pytest.mark.parametrize(
    ("registry", "part"), [(EMBEDDERS, "embedding"), (TAGGERS, "tags"), (CAPTIONERS, "captions")]
)
def test_every_head_ships_or_is_pulled(registry: Registry, part: str) -> None:
    assert set(registry) - PULLED == set(_shipped(part))


@pytest.mark.parametrize("name", _shipped("embedding"))
def test_an_embedding_head_gives_unit_vectors(name: str, features: Features) -> None:
    embeddings = _load(EMBEDDERS, "embedding", name)(features)
    assert embeddings.shape == (20, 512)
    assert embeddings.dtype == np.float32
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(np.ones(20), abs=1e-5)


@pytest.mark.parametrize("name", _shipped("tags"))
def test_a_tag_head_gives_probable_tags_in_order(name: str, features: Features) -> None:
    version = _made_with("tags", name)
    embed = _load(EMBEDDERS, "embedding", version.part("embedding")["name"])
    tags = _load(TAGGERS, "tags", name)(replace(features, embeddings=embed(features)))
    assert len(tags) == 20
    for said in tags:
        probabilities = [probability for _, probability in said]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(0.0 < probability <= 1.0 for probability in probabilities)


@pytest.mark.parametrize("name", _shipped("captions"))
def test_a_caption_head_gives_sentences_with_confidence(name: str, features: Features) -> None:
    captions = _load(CAPTIONERS, "captions", name)(features)
    assert len(captions) == 20
    said = [
        one for own in captions for one in [(own.caption, own.confidence), *own.others.values()]
    ]
    assert all(text and 0.0 <= confidence <= 1.0 for text, confidence in said)


@pytest.mark.parametrize("half", [False, True])
def test_lite2_on_a_gpu_sees_what_int8_on_the_cpu_sees(half: bool) -> None:
    """The torch path, run on the CPU: its features point where the int8 ones do."""
    pixels = squash_batch([draw(n, width=300, height=300) for n in range(4)], 260)
    other = TorchLite2("cpu", half=half)(pixels)
    quantised = _load(BACKBONES, "backbone", "efficientnet-lite2")(pixels)
    for a, b in zip(other.pooled, quantised.pooled, strict=True):
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.97


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownNetwork, match=r"no backbone called 'resnet'.*efficientnet-lite2"):
        BACKBONES["resnet"]


def test_a_name_is_registered_once() -> None:
    registry: Registry = Registry("head")
    registry.register("x")(len)
    assert "x" in registry
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("x")(len)
