"""Every hostile file ends as it must: as a photo, or as one refusal with a reason."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.hostile.make import hostile_files
from tests.hostile.sample import HostileFile
from vision.decoding import DecoderPool, Rendering, UnreadableImage

# Files drawn by others, where they are at hand.
SHARED = Path(__file__).parents[4] / "shared" / "data" / "hostile"
COLOURS = {"red": (220, 30, 30), "black": (0, 0, 0)}
FILES = hostile_files()


def render(pool: DecoderPool, path: Path) -> Rendering:
    return pool.render(path, network_size=64, thumbnails={"small": (960, 320), "large": 1600})


def assert_corner(rendering: Rendering, colour: tuple[int, int, int]) -> None:
    """Compare near the corner: JPEG and scaling blur the very edge."""
    assert rendering.pixels is not None
    inset = 2 if min(rendering.width, rendering.height) > 8 else 0
    seen = rendering.pixels[inset, inset].astype(int)
    assert np.abs(seen - colour).max() <= 25, f"{seen} is not {colour}"


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_hostile_file(file: HostileFile, pool: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(file.data)
    if file.refused:
        assert_refused(file.refused, pool, path)
        return
    inspection, rendering = pool.inspect(path), render(pool, path)
    assert (inspection.width, inspection.height) == file.size
    assert (rendering.width, rendering.height) == file.size
    if file.corner:
        assert_corner(rendering, file.corner)


def assert_refused(code: str, pool: DecoderPool, path: Path) -> None:
    for attempt in (pool.inspect, lambda path: render(pool, path)):
        with pytest.raises(UnreadableImage) as caught:
            attempt(path)
        assert caught.value.code == code
        assert caught.value.message.endswith(".")
        assert path.name not in caught.value.message


def shared_rows() -> list[dict[str, str]]:
    if not SHARED.exists():
        return []
    with (SHARED / "expected.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not SHARED.exists(), reason="the shared hostile files are not here")
@pytest.mark.parametrize("row", shared_rows(), ids=lambda row: row["file"])
def test_shared_hostile_file(row: dict[str, str], pool: DecoderPool) -> None:
    path = SHARED / "files" / row["file"]
    if row["expect"] == "reject":
        with pytest.raises(UnreadableImage):
            pool.inspect(path)
        return
    inspection, rendering = pool.inspect(path), render(pool, path)
    if row["width"]:
        assert (inspection.width, inspection.height) == (int(row["width"]), int(row["height"]))
    if row["top_left"]:
        assert_corner(rendering, COLOURS[row["top_left"]])


def test_thumbnails_carry_nothing_of_the_file_but_its_picture(
    pool: DecoderPool, tmp_path: Path
) -> None:
    for name in ("zip_behind.jpg", "page_behind.jpg", "exif_script.jpg", "exif_xmp_bomb.jpg"):
        file = next(file for file in FILES if file.name == name)
        (tmp_path / name).write_bytes(file.data)
        thumbnail = render(pool, tmp_path / name).thumbnails["large"]
        for trace in (b"PK\x03\x04", b"script", b"EXIF", b"XMP ", b"ICCP", b"readme"):
            assert trace not in thumbnail
