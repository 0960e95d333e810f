"""What belongs together: copies do, however they were made; what only looks similar does not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.factories import an_embedding
from tests.webapp.stacks import drawings
from webapp.stacks.likeness import Kind, Looks, belong, grey_of, print_of

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def looks(
    scene: Image.Image,
    *,
    cosine: float = 1.0,
    taken_at: datetime | None = None,
    camera: str = "Canon",
) -> Looks:
    """`cosine` is the embedding's with that of another made with 1."""
    one, aside = an_embedding(seed=1), an_embedding(seed=2)
    aside = aside - (aside @ one) * one
    embedding = cosine * one + (1 - cosine**2) ** 0.5 * aside / np.linalg.norm(aside)
    grey, _ = print_of(drawings.pixels(scene))
    ratio = scene.width / scene.height
    return Looks(1, embedding.astype(np.float32), grey_of(grey), ratio, taken_at, camera)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "copied",
    [
        drawings.smaller,
        drawings.saved_badly,
        drawings.brighter,
        drawings.trimmed,
        drawings.cut_out,
    ],
)
def test_copies_belong_together(copied: Callable[[Image.Image], Image.Image], seed: int) -> None:
    scene = drawings.a_scene(seed)
    one, other = looks(scene), looks(copied(scene), cosine=0.8)
    assert belong(one, other) is Kind.COPY
    assert belong(other, one) is Kind.COPY


@pytest.mark.parametrize("draw", [drawings.a_scene, drawings.a_page])
def test_different_pictures_do_not_however_alike_a_model_finds_them(
    draw: Callable[[int], Image.Image],
) -> None:
    pictures = [looks(draw(seed)) for seed in range(8)]
    pairs = [(one, other) for one in range(8) for other in range(one)]
    assert [pair for pair in pairs if belong(pictures[pair[0]], pictures[pair[1]])] == []


def test_the_same_cells_do_not_where_a_model_sees_something_else() -> None:
    scene = drawings.a_scene(1)
    assert belong(looks(scene), looks(scene, cosine=0.4)) is None


def test_blank_pictures_say_nothing() -> None:
    """Nights and lens caps look alike and are not copies of each other."""
    noise = np.random.default_rng(0).integers(0, 6, (2, 256, 256, 3), np.uint8)
    night, other_night = (Image.fromarray(each) for each in noise)
    assert belong(looks(night), looks(other_night)) is None


def moved(scene: Image.Image) -> Image.Image:
    """The next frame of a burst: the camera moved, and something walked through the picture."""
    frame = scene.crop((20, 10, scene.width, scene.height))
    frame.paste(drawings.a_scene(99).crop((0, 0, 160, 260)), (130, 60))
    return frame


def test_a_burst_is_of_one_moment_and_one_camera() -> None:
    scene = drawings.a_scene(3)
    first = looks(scene, taken_at=NOON)
    second = looks(moved(scene), cosine=0.85, taken_at=NOON + timedelta(seconds=2))
    assert belong(first, second) is Kind.BURST
    for taken_at, camera, cosine in (
        (NOON + timedelta(minutes=2), "Canon", 0.85),
        (None, "Canon", 0.85),
        (NOON, "Nikon", 0.85),
        (NOON, "Canon", 0.7),
    ):
        other = looks(moved(scene), cosine=cosine, taken_at=taken_at, camera=camera)
        assert belong(first, other) is None
    elsewhere = looks(drawings.a_scene(4), cosine=0.85, taken_at=NOON)
    assert belong(first, elsewhere) is None


def test_sharpness_tells_the_sharp_from_the_blurred() -> None:
    scene = drawings.a_scene(1)
    blurred = scene.filter(ImageFilter.GaussianBlur(2))
    _, sharp = print_of(drawings.pixels(scene))
    _, soft = print_of(drawings.pixels(blurred))
    assert sharp > 1.5 * soft
