"""How well copies are told from other photos: made from a folder of photos that has none."""

import io
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from webapp.stacks.likeness import SEEN, Looks, belong, grey_of, print_of
from webapp.teach.services import active_version, weights_folder

NEIGHBOURS = 8  # photos nearest to each, which are the likeliest to be taken for a copy
BATCH = 32
Picture = Image.Image


def _saved_badly(photo: Picture) -> Picture:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=30)
    return Image.open(file).convert("RGB")


def _cut(share: float, across: float, down: float) -> Callable[[Picture], Picture]:
    def cut(photo: Picture) -> Picture:
        width, height = round(photo.width * share), round(photo.height * share)
        left, top = round((photo.width - width) * across), round((photo.height - height) * down)
        return photo.crop((left, top, left + width, top + height))

    return cut


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "JPEG at quality 30": _saved_badly,
    "half as large": lambda photo: photo.resize((photo.width // 2, photo.height // 2)),
    "a fifth brighter": lambda photo: ImageEnhance.Brightness(photo).enhance(1.2),
    "cut to 95 %": _cut(0.95, 0.5, 0.5),
    "cut to 85 %, off centre": _cut(0.85, 0.3, 0.7),
    "cut to 70 %": _cut(0.7, 0.5, 0.5),
}


class Command(BaseCommand):
    help = "Measure how well copies are told from other photos, with a folder of photos."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="photos none of which is another's copy")
        parser.add_argument("--photos", type=int, default=1_000)
        parser.add_argument("--copied", type=int, default=100, help="photos to make copies of")

    def handle(self, *args: Any, **options: Any) -> None:
        names = sorted(path for path in options["folder"].rglob("*") if path.is_file())
        photos = list(_opened(names[: options["photos"]]))
        if len(photos) < 2:
            raise CommandError("The folder has fewer than two photos that can be read.")
        look = _looker()
        known = look(photos)
        for name, copied in COPIES.items():
            chosen = photos[: options["copied"]]
            pairs = zip(known, look([copied(photo) for photo in chosen]), strict=False)
            found = sum(belong(one, other) is not None for one, other in pairs)
            print(f"{name}: {found} of {len(chosen)} found")
        _tell_others(known)


def _tell_others(known: Sequence[Looks]) -> None:
    started = time.process_time()
    vectors = np.stack([each.embedding for each in known])
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    nearest = np.argsort(-cosines, axis=1)[:, :NEIGHBOURS].tolist()
    pairs = {(min(i, j), max(i, j)) for i, row in enumerate(nearest) for j in row}
    wrong = [pair for pair in pairs if belong(known[pair[0]], known[pair[1]])]
    took = (time.process_time() - started) / len(known) * 1000
    print(f"of {len(pairs)} pairs of nearest photos {len(wrong)} taken for copies: {wrong[:20]}")
    print(f"{took:.1f} ms for each photo")


def _opened(paths: Sequence[Path]) -> Iterator[Picture]:
    for path in paths:
        try:
            yield Image.open(path).convert("RGB")
        except OSError:
            continue


def _looker() -> Callable[[Sequence[Picture]], list[Looks]]:
    from vision.eye import load_eye

    eye = load_eye(weights_folder(active_version()))

    def look(pictures: Sequence[Picture]) -> list[Looks]:
        seen = [np.asarray(picture) for picture in pictures]
        batches = [seen[at : at + BATCH] for at in range(0, len(seen), BATCH)]
        embeddings = np.concatenate([eye.embed(eye.features(batch)) for batch in batches])
        return [_looks(*pair) for pair in zip(pictures, embeddings, strict=True)]

    return look


def _looks(picture: Picture, embedding: NDArray[np.float32]) -> Looks:
    squashed = picture.resize((SEEN, SEEN), Image.Resampling.BOX)
    grey, _ = print_of(np.asarray(squashed))
    ratio = picture.width / picture.height
    return Looks(0, embedding, grey_of(grey), ratio, None, "")
