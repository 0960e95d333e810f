"""The cast of our tests: people, photos and files, made by plain functions.

Each makes something real and complete: a photo's bytes decode, its original is stored, a sight
goes the way that a worker's result goes.
"""

import hashlib
import io
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from PIL import Image

from vision.sight import EMBED_DIM, Sight
from webapp.accounts.models import ApiToken, User
from webapp.library.models import Photo
from webapp.library.services.thumbnails import SIZES, has_thumbnails, store_thumbnails
from webapp.library.storage import originals
from webapp.stacks.models import Stack, StackMember
from webapp.teach.services import active_version, store_sights

PASSWORD = "correct horse battery staple"

_numbers = itertools.count(1)


def a_user(name: str = "", *, password: str = "", **fields: Any) -> User:
    """A person; without `password` only `client.force_login` lets them in (hashing is slow)."""
    username = name or f"user{next(_numbers)}"
    return User.objects.create_user(username=username, password=password or None, **fields)


def an_administrator(name: str = "", *, password: str = "") -> User:
    return a_user(name, password=password, is_staff=True, is_superuser=True)


def a_token(user: User, *, scope: str = "read", name: str = "a program") -> str:
    """The secret of a new API token."""
    return ApiToken.issue(user, name=name, scope=scope)[1]


def image_bytes(
    *, size: tuple[int, int] = (64, 48), seed: int | None = None, kind: str = "JPEG", **options: Any
) -> bytes:
    """An encoded photo (width, height): a gradient and a patch whose colours follow `seed`.

    Without a seed every call gives another picture. `options` go to Pillow, such as `exif`.
    """
    generator = np.random.default_rng(next(_numbers) if seed is None else seed + (1 << 32))
    width, height = size
    first, second, third = generator.integers(0, 256, (3, 3))
    slope = np.linspace(0, 1, width)[None, :, None]
    pixels = np.broadcast_to(first * (1 - slope) + second * slope, (height, width, 3)).copy()
    pixels[height // 4 : height // 2, width // 4 : width // 2] = third
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, kind, **options)
    return file.getvalue()


def an_image_file(folder: Path, name: str = "photo.jpg", **options: Any) -> Path:
    """A photo on disk, for uploads and imports; options as of `image_bytes`."""
    path = folder / name
    path.write_bytes(image_bytes(**options))
    return path


def a_photo(
    owner: User, *, data: bytes | None = None, with_thumbnails: bool = True, **fields: Any
) -> Photo:
    """A ready photo with its original and thumbnails stored; `fields` are the row's."""
    number = next(_numbers)
    data = image_bytes() if data is None else data
    taken_at = fields.pop("taken_at", datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number))
    row: dict[str, Any] = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "file_name": f"IMG_{number:04}.jpg",
        "media_type": "image/jpeg",
        "size_bytes": len(data),
        "width": 64,
        "height": 48,
        "state": Photo.State.READY,
        "taken_at": taken_at,
        "shown_at": taken_at or datetime.now(UTC),
    }
    photo = Photo(owner=owner, **(row | fields))
    originals().save(photo.original_name, ContentFile(data))
    if with_thumbnails and not has_thumbnails(photo.sha256):
        thumbnail = image_bytes(size=(32, 24), kind="WEBP")
        store_thumbnails(photo.sha256, dict.fromkeys(SIZES, thumbnail))
    photo.save()
    return photo


def an_embedding(seed: int | None = None) -> np.ndarray:
    """A direction in the space of photos and texts: (512,) float32 of unit norm."""
    vector = np.random.default_rng(next(_numbers) if seed is None else seed).normal(size=EMBED_DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def a_stack(*photos: Photo, kind: str = "copy") -> Stack:
    """Photos of one owner in one stack, the best one first."""
    stack = Stack.objects.create(owner=photos[0].owner)
    StackMember.objects.bulk_create(
        [
            StackMember(photo=photo, stack=stack, place=place, kind=kind)
            for place, photo in enumerate(photos)
        ]
    )
    return stack


def a_sight(
    photo: Photo,
    *,
    embedding: np.ndarray | None = None,
    caption: str = "",
    other_captions: Mapping[str, tuple[str, float]] | None = None,
    tags: Sequence[tuple[str, float]] = (),
) -> Sight:
    """Let the active version see the photo: tags, caption, embedding; the photo becomes ready."""
    seen = Sight(
        embedding=an_embedding() if embedding is None else embedding,
        tags=list(tags),
        caption=caption,
        caption_confidence=0.5 if caption else 0.0,
        other_captions=dict(other_captions or {}),
    )
    photo.state, photo.holder = Photo.State.WAITING, "tests"
    photo.save(update_fields=["state", "holder"])
    store_sights("tests", active_version(), [(photo, seen)], {})
    photo.refresh_from_db()
    return seen
