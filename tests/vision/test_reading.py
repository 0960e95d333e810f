"""Reading text in photos, with the real networks."""

import numpy as np
import pytest

from tests.vision.signs import a_scene, a_sign
from vision.errors import BadImage
from vision.reading.reader import Reader, load_reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader()


def words(reader: Reader, photo: object) -> list[str]:
    return [word for line in reader.read(np.asarray(photo)) for word in line.text.split()]


def test_a_sign_is_read_with_the_place_where_it_stands(reader: Reader) -> None:
    (line,) = reader.read(np.asarray(a_sign("HOTEL ROMA")))

    assert line.text == "HOTEL ROMA"
    assert line.confidence > 0.9
    left, top, width, height = line.box
    assert 0.05 < left < 0.25
    assert 0.05 < top < 0.25
    assert width > 3 * height > 0


def test_lines_come_from_top_to_bottom_and_letters_with_their_accents(reader: Reader) -> None:
    read = words(reader, a_sign("Bäckerei", "Café Straße", height=48))

    assert read == ["Bäckerei", "Café", "Straße"]


@pytest.mark.parametrize("angle", [-10.0, 12.0])
def test_a_sign_may_hang_askew(reader: Reader, angle: float) -> None:
    assert words(reader, a_sign("CENTRAL STATION", angle=angle)) == ["CENTRAL", "STATION"]


def test_small_letters_on_a_large_photo_are_read(reader: Reader) -> None:
    assert words(reader, a_sign("Platform", height=26, size=(1600, 1200))) == ["Platform"]


def test_a_photo_without_text_is_done_at_a_glance(reader: Reader) -> None:
    scene = np.asarray(a_scene())

    assert not reader.may_have_text(scene)
    assert reader.read(scene) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (900, 2, 3), (40, 40, 3)])
def test_photos_of_odd_shapes_have_no_text_and_break_nothing(
    reader: Reader, shape: tuple[int, int, int]
) -> None:
    assert reader.read(np.zeros(shape, np.uint8)) == []


def test_what_is_no_photo_is_refused(reader: Reader) -> None:
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)):
        with pytest.raises(BadImage):
            reader.read(wrong)  # type: ignore[arg-type]
