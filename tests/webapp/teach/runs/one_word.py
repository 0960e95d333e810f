"""Something that looks and sees the same in every photo; and, as a program, a library of its own
that is switched to it: python -m tests.webapp.teach.runs.one_word prepare|activate|state."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vision.sight import EVERYTHING, Image, Sight

PHOTOS = 16  # of fewer than 20 the gate does not say that all look the same


class OneWord:
    """Sees one and the same in every photo."""

    input_size = 64

    def __init__(self, word: str, *, seconds: float = 0.0) -> None:
        self.word = word
        self.seconds = seconds
        self.asked: list[tuple[int, frozenset[str]]] = []

    def look(self, images: Sequence[Image], *, wanted: frozenset[str] = EVERYTHING) -> list[Sight]:
        self.asked.append((len(images), wanted))
        time.sleep(self.seconds)
        vector = np.random.default_rng(1).normal(size=512)
        unit = (vector / np.linalg.norm(vector)).astype(np.float32)
        return [Sight(unit, [(self.word, 0.9)], f"a {self.word}", 0.9) for _ in images]


def silent(step: str, done: int, total: int) -> None:
    pass


def prepare() -> None:
    from django.core.management import call_command

    from tests.factories import a_photo, a_sight, a_user
    from tests.webapp.teach.switching.twins import a_twin
    from webapp.teach.models import ModelVersion

    call_command("migrate", verbosity=0)
    ana = a_user("ana")
    for _ in range(PHOTOS):
        a_sight(a_photo(ana, with_thumbnails=False), tags=[("cat", 0.9)], caption="a cat")
    folder = str(a_twin(Path(os.environ["MAREA_DATA"]) / "models" / "another"))
    ModelVersion.objects.create(name="another", folder=folder)


def activate() -> None:
    from webapp.teach.models import ModelVersion
    from webapp.teach.switching import activating

    another = ModelVersion.objects.get(name="another")
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    activating.activate(another, lambda: OneWord("dog", seconds=0.05), tell=silent)


def state() -> None:
    """What serves, and what is found by its words."""
    from webapp.accounts.models import User
    from webapp.find.services import find_photos
    from webapp.teach.models import ModelVersion

    ana = User.objects.get(username="ana")
    name = ModelVersion.objects.get(is_active=True).name
    found = {word: len(find_photos(ana, f'"{word}"').found) for word in ("cat", "dog")}
    serving = name if name == "another" else "first"
    sys.stdout.write(f"{serving}: {found['cat']} cat, {found['dog']} dog\n")


if __name__ == "__main__":
    import django

    os.environ.setdefault("MAREA_LOOK_BATCH", "2")
    django.setup()
    {"prepare": prepare, "activate": activate, "state": state}[sys.argv[1]]()
