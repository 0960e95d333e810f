"""Photos with signs on them, drawn, so that it is known what there is to read."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (4000, 3000)  # of the original; the large thumbnail is 1,600 pixels wide
THUMBNAIL = (1600, 1200)
# Of the letters, in pixels of the thumbnail.
HEIGHTS = (8, 12, 16, 24, 40)
WORDS = (
    *("HOTEL", "ROMA", "BAKERY", "Museum", "PLATFORM", "Ristorante", "OPEN", "Parking"),
    *("Central", "Station", "Market", "Library", "Kiosk", "EXIT", "Bienvenue", "Garden"),
)
BOARDS = ("#faf0dc", "#14285a", "#b41414", "#ffffff", "#1d4d2b")


@dataclass(frozen=True)
class Sign:
    """A photo in the folder, and what stands on it in letters `height` pixels tall."""

    name: str
    height: int
    words: Sequence[str]


def write_signs(
    folder: Path, backgrounds: Sequence[Path], *, each: int, seed: int = 5
) -> list[Sign]:
    """`each` photos of every height, and as many without a sign as there are backgrounds."""
    chance = random.Random(seed)
    signs = [
        Sign(f"sign-{height}-{number}", height, chance.sample(WORDS, 2))
        for height in HEIGHTS
        for number in range(each)
    ]
    for place, sign in enumerate(signs):
        photo = _background(backgrounds[place % len(backgrounds)])
        _hang(photo, sign, chance)
        _write(photo, folder / sign.name)
    for number, path in enumerate(backgrounds):
        _write(_background(path), folder / f"bare-{number}")
    return signs


def _background(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)


def _hang(photo: Image.Image, sign: Sign, chance: random.Random) -> None:
    """A board with the words, a little askew, somewhere on the photo."""
    tall = sign.height * SIZE[0] // THUMBNAIL[0]
    font = ImageFont.load_default(round(tall * 1.35))
    text, colour = " ".join(sign.words), chance.choice(BOARDS)
    board = Image.new("RGBA", (round(font.getlength(text)) + 2 * tall, 3 * tall), colour)
    is_light = sum(board.getpixel((0, 0))[:3]) > 380  # type: ignore[index]
    ink = "#141414" if is_light else "#fafae6"
    ImageDraw.Draw(board).text((tall, 1.5 * tall), text, font=font, fill=ink, anchor="lm")
    board = board.rotate(chance.uniform(-12, 12), expand=True, resample=Image.Resampling.BICUBIC)
    place = (
        chance.randrange(max(1, photo.width - board.width)),
        chance.randrange(max(1, photo.height - board.height)),
    )
    photo.paste(board, place, board)


def _write(photo: Image.Image, path: Path) -> None:
    """The original as from a camera, and the thumbnail as `vision.decoding.render` makes it."""
    soft = photo.filter(ImageFilter.GaussianBlur(1.2))
    soft.save(path.with_suffix(".jpg"), "JPEG", quality=90)
    small = soft.resize(THUMBNAIL, Image.Resampling.HAMMING, reducing_gap=2.0)
    small.save(path.with_suffix(".webp"), "WEBP", quality=75, method=0)
