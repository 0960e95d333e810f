"""Pictures with enough in them to be told apart, and what becomes of copies."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

WIDTH, HEIGHT = 480, 360


def a_scene(seed: int) -> Image.Image:
    """Soft light with some fifty things before it."""
    random = np.random.default_rng(seed)
    light = random.integers(0, 256, (4, 5, 3), np.uint8)
    scene = Image.fromarray(light).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(scene)
    for _ in range(50):
        x, y = random.integers(0, WIDTH), random.integers(0, HEIGHT)
        size, colour = random.integers(8, 90), tuple(int(c) for c in random.integers(0, 256, 3))
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape((x, y, x + size, y + size * random.uniform(0.4, 1.6)), fill=colour)
    return scene


def a_page(seed: int) -> Image.Image:
    """Lines of words in one layout."""
    random = np.random.default_rng(seed)
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(page)
    for y in range(20, HEIGHT - 20, 12):
        letters = random.choice(list("abcdefghijklmnopqrstuvwxyz      "), 70)
        draw.text((30, y), "".join(letters), fill="black")
    return page


def smaller(scene: Image.Image) -> Image.Image:
    return scene.resize((scene.width // 3, scene.height // 3), Image.Resampling.LANCZOS)


def saved_badly(scene: Image.Image) -> Image.Image:
    file = io.BytesIO()
    scene.save(file, "JPEG", quality=20)
    return Image.open(file).convert("RGB")


def brighter(scene: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(scene).enhance(1.15)


def trimmed(scene: Image.Image) -> Image.Image:
    """Of other proportions: a strip of the right side is gone."""
    return scene.crop((0, 0, round(scene.width * 0.85), scene.height))


def cut_out(scene: Image.Image) -> Image.Image:
    width, height = scene.size
    return scene.crop((width // 10, height // 20, width * 9 // 10, height * 17 // 20))


def jpeg(scene: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    scene.save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def pixels(scene: Image.Image, side: int = 256) -> np.ndarray:
    return np.asarray(scene.resize((side, side), Image.Resampling.BOX))
