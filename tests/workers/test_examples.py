"""The worker's part of searching by a picture, with the network that ships."""

import numpy as np
import pytest

from tests.factories import a_photo, a_user, image_bytes
from webapp.examples.models import ExampleImage
from webapp.examples.services import embedding_of
from webapp.library.models import Photo
from webapp.teach.services import active_version
from workers import looking, queue, tasks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def a_picture(content: bytes) -> ExampleImage:
    key = f"key {ExampleImage.objects.count()}"
    return ExampleImage.objects.create(owner=a_user(), key=key, picture=content)


def seen(image: ExampleImage) -> np.ndarray | None:
    image.refresh_from_db()
    return embedding_of(image, active_version())


def test_a_picture_gets_the_embedding_that_it_would_have_as_a_photo() -> None:
    content = image_bytes(size=(300, 200), kind="WEBP", lossless=True)
    photo = a_photo(a_user(), data=content, state=Photo.State.WAITING)
    looking.look(seconds=60, stopping=lambda: False)
    image = a_picture(content)
    assert seen(image) is None

    tasks.embed_examples()

    embedding = seen(image)
    stored = np.frombuffer(photo.sights.get().embedding, "<f2").astype(np.float32)
    assert embedding is not None
    assert embedding @ stored > 0.999
    tasks.embed_examples()
    image.refresh_from_db()
    assert image.attempts == 0


def test_a_picture_that_cannot_be_read_fails_alone() -> None:
    broken, whole = a_picture(b"RIFF nothing"), a_picture(image_bytes(kind="WEBP"))
    tasks.embed_examples()
    assert seen(whole) is not None
    broken.refresh_from_db()
    assert broken.failed.startswith("The picture cannot be read: ")


def test_who_searches_does_not_wait_for_an_upload_to_end() -> None:
    """Pictures are looked at between two batches of photos."""
    for _ in range(2):
        a_photo(a_user(), data=image_bytes(), state=Photo.State.WAITING)
    image = a_picture(image_bytes(kind="WEBP"))
    looking.look(seconds=0, stopping=lambda: False)  # one batch
    assert seen(image) is not None


def test_nothing_is_loaded_where_nobody_waits() -> None:
    looking.load_eye.cache_clear()
    tasks.embed_examples()
    assert looking.load_eye.cache_info().currsize == 0
    assert queue.redis().exists("marea:on-its-way:" + queue.EMBED_EXAMPLES) == 0
