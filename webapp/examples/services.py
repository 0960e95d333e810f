"""Searching by a picture that is in no library, from taking it in to knowing its embedding.

A request only decodes the file, in a process that may do nothing else, and writes down that its
embedding is wanted; `workers.examples` looks at it.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.db.models import F
from numpy.typing import NDArray

from vision.decoding import DecoderUnavailable, UnreadableImage
from webapp.accounts.models import User
from webapp.errors import Conflict, NotFound, Refused, Unavailable
from webapp.examples.models import KEPT, MAX_ATTEMPTS, ExampleImage
from webapp.library.models import Worker
from webapp.library.services.decoding import decoders
from webapp.teach.models import ModelVersion
from webapp.teach.services import EMBEDDING_DTYPE, embedding_from
from workers import queue

# Pixels of the long side of what is kept: more than any network of ours looks at.
LONG_SIDE = 640
KEPT_A_PERSON = 20  # beyond it the oldest go
GIVEN_UP = "Looking at this picture ended the worker each time. Try another one."
GONE = "This picture is no longer kept. Drop it on the search box again."
_SALT = "marea.example"


def take_picture(user: User, file: Path) -> ExampleImage:
    """Keep a small copy of the picture in `file` for an hour. Raises `Refused` if it is none."""
    try:
        rendering = decoders().render(file, network_size=None, thumbnails={"small": LONG_SIDE})
    except UnreadableImage as error:
        raise Refused(
            f"Marea cannot search by this file: {error.message}", code=error.code, field="file"
        ) from error
    except DecoderUnavailable as error:
        raise Unavailable("Pictures cannot be read just now. Try again in a minute.") from error
    image = ExampleImage.objects.create(
        owner=user, key=secrets.token_urlsafe(32), picture=rendering.thumbnails["small"]
    )
    _drop_oldest(user)
    queue.examples_wait()
    return image


def _drop_oldest(user: User) -> None:
    mine = ExampleImage.objects.visible_to(user).order_by("-pk").values_list("pk", flat=True)
    if too_many := list(mine[KEPT_A_PERSON:]):
        ExampleImage.objects.filter(pk__in=too_many).delete()


def token_of(image: ExampleImage) -> str:
    """What stands for the picture in an address, for as long as the picture is kept."""
    return TimestampSigner(salt=_SALT).sign(image.key)


def find_picture(user: User, token: str) -> ExampleImage:
    """The user's picture. Raises `NotFound`, also for somebody else's and when its hour is over."""
    try:
        key = TimestampSigner(salt=_SALT).unsign(token, max_age=KEPT)
    except BadSignature as error:
        raise NotFound(GONE) from error
    image = ExampleImage.objects.visible_to(user).kept().filter(key=key).first()
    if image is None:
        raise NotFound(GONE)
    return image


def embedding_of(image: ExampleImage, version: ModelVersion) -> NDArray[np.float32] | None:
    """What `version` makes of the picture, (512,); None while a worker has still to look.

    Raises `Conflict` when it cannot be looked at.
    """
    if image.failed:
        raise Conflict(image.failed, code="no_embedding")
    if image.embedding is None or image.version_id != version.pk:
        if image.attempts >= MAX_ATTEMPTS:
            raise Conflict(GIVEN_UP, code="no_embedding")
        queue.examples_wait()
        return None
    return embedding_from(image.embedding)


def a_worker_looks() -> bool:
    """Whether a worker that looks at pictures is present."""
    return Worker.objects.present().filter(queues__contains="look").exists()


def waiting_pictures(version: ModelVersion) -> Iterator[ExampleImage]:
    """What is to be looked at, latest first, each counted as an attempt before it is handed out."""
    seen: set[int] = set()
    while row := _next_waiting(version, seen):
        seen.add(row.pk)
        yield row


@transaction.atomic
def _next_waiting(version: ModelVersion, seen: set[int]) -> ExampleImage | None:
    waiting = ExampleImage.objects.waiting(version).exclude(pk__in=seen)
    row = waiting.order_by("-pk").first()
    if row:
        ExampleImage.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    return row


def store_embedding(
    image: ExampleImage, version: ModelVersion, embedding: NDArray[np.float32]
) -> None:
    ExampleImage.objects.filter(pk=image.pk).update(
        version=version, embedding=embedding.astype(EMBEDDING_DTYPE).tobytes(), attempts=0
    )


def fail_picture(image: ExampleImage, reason: str) -> None:
    ExampleImage.objects.filter(pk=image.pk).update(failed=reason[:300])
