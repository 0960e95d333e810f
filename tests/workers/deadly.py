"""The Celery app of a real worker whose eye dies of one photo, as if memory had run out."""

import io
import os
import signal
from collections.abc import Sequence

from celery.signals import worker_ready
from PIL import Image as Picture

from vision.sight import Image, Sight
from workers.app import app

__all__ = ["app"]


def deadly_file() -> bytes:
    file = io.BytesIO()
    Picture.new("RGB", (64, 48), (255, 0, 0)).save(file, "PNG")
    return file.getvalue()


class DeadlyEye:
    def __init__(self, eye: object) -> None:
        self._eye = eye
        self.input_size = eye.input_size  # type: ignore[attr-defined]

    def look(self, images: Sequence[Image]) -> list[Sight]:
        for image in images:
            red, green, blue = image.reshape(-1, 3).mean(axis=0)
            if red > 250 and green < 5 and blue < 5:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._eye.look(images)  # type: ignore[attr-defined]


@worker_ready.connect
def arm(**_: object) -> None:
    from workers import looking  # late: models exist once Celery has set Django up

    load = looking.load_eye
    looking.load_eye = lambda folder: DeadlyEye(load(folder))  # type: ignore[assignment]
