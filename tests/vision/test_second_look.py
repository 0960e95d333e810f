"""Photos whose tags hang by a hair are looked at again in float."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.vision.folders import draw
from vision.eye import Eye, load_eye
from vision.pixels import squash_batch
from vision.sight import Image

ALWAYS, NEVER = 8.0, 0.0


@pytest.fixture(scope="module")
def eye() -> Eye:
    return load_eye(device="cpu")


def with_margin(eye: Eye, margin: float) -> Eye:
    assert eye.closer is not None
    return Eye(
        version=eye.version,
        backbone=eye.backbone,
        embed=eye.embed,
        tag=eye.tag,
        caption=eye.caption,
        closer=replace(eye.closer, margin=margin),
    )


def photos(number: int = 4) -> list[Image]:
    return [draw(seed) for seed in range(number)]


def worth(eye: Eye, images: Sequence[Image]) -> list[int]:
    assert eye.closer is not None
    return eye.closer.worth(eye.embedded(eye.features(images))).tolist()


def test_the_shipped_version_has_a_float_backbone_that_agrees_with_its_int8(eye: Eye) -> None:
    assert eye.closer is not None
    pixels = squash_batch(photos(), eye.backbone.input_size)
    fast, exact = eye.backbone(pixels), eye.closer.backbone(pixels)
    for one, other in zip(fast.pooled, exact.pooled, strict=True):
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.97
    assert not np.array_equal(fast.pooled, exact.pooled)


def test_only_doubtful_photos_are_seen_in_float_and_wholly_so(eye: Eye) -> None:
    images = photos()
    wide = with_margin(eye, ALWAYS)
    again = worth(wide, images)
    assert again, "with so wide a margin some photo is in doubt"
    seen = wide.see(images)
    assert wide.closer is not None
    exact = wide.embedded(wide.closer.backbone(squash_batch(images, wide.backbone.input_size)))
    fast = wide.embedded(wide.features(images))
    for number in range(len(images)):
        wanted = exact if number in again else fast
        for part in ("pooled", "grid", "logits", "embeddings"):
            own, other = getattr(seen, part)[number], getattr(wanted, part)[number]
            assert own == pytest.approx(other, rel=1e-3, abs=1e-3)


def test_without_doubt_nothing_is_looked_at_twice(eye: Eye) -> None:
    sure = with_margin(eye, NEVER)
    assert worth(sure, photos()) == []
    assert np.array_equal(sure.see(photos()).pooled, sure.features(photos()).pooled)


def test_a_version_without_a_float_backbone_looks_once() -> None:
    assert load_eye("lite2-2026.11b", device="cpu").closer is None
