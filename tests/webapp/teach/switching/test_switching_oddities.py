"""Switches of libraries larger than a statement, and to versions that see what is no number."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories import a_photo, a_sight, a_user
from tests.webapp.teach.runs.one_word import OneWord, silent
from tests.webapp.teach.switching.test_switching import put_to_work
from tests.webapp.teach.switching.twins import a_twin
from vision.sight import Sight as Seen
from webapp.accounts.models import User
from webapp.errors import Refused
from webapp.library.models import Photo
from webapp.teach.models import ModelVersion, Sight
from webapp.teach.switching import activating
from webapp.teach.switching.models import Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return a_user("ana")


@pytest.fixture
def another(tmp_path: Path) -> ModelVersion:
    return ModelVersion.objects.create(name="another", folder=str(a_twin(tmp_path / "another")))


def test_going_back_takes_any_number_of_new_photos(ana: User, another: ModelVersion) -> None:
    a_sight(a_photo(ana), tags=[("cat", 0.9)])
    put_to_work(another)
    row = {"size_bytes": 1, "width": 1, "height": 1, "shown_at": timezone.now(), "attempts": 2}
    new = [Photo(owner=ana, sha256=f"{n:064}", state="ready", **row) for n in range(300)]
    Photo.objects.bulk_create(new, batch_size=5)
    if connection.vendor == "sqlite":  # as many parameters as a library may have photos
        before = connection.connection.setlimit(9, 250)
    try:
        activating.roll_back()
    finally:
        if connection.vendor == "sqlite":
            connection.connection.setlimit(9, before)
    assert Photo.objects.filter(state="waiting", attempts=0).count() == 300


class NoNumbers(OneWord):
    """Its figures are NaN in `field`."""

    def __init__(self, field: str) -> None:
        super().__init__("dog")
        self.field = field

    def look(self, images: Any, **options: Any) -> list[Seen]:
        nan = float("nan")
        odd = {
            "tags": {"tags": [("dog", nan)]},
            "confidence": {"caption_confidence": nan},
            "other captions": {"other_captions": {"de": ("ein Hund", nan)}},
        }[self.field]
        return [Seen(**vars_of(seen) | odd) for seen in super().look(images)]


def vars_of(seen: Seen) -> dict[str, Any]:
    return {
        name: getattr(seen, name) for name in ("embedding", "tags", "caption", "caption_confidence")
    }


@pytest.mark.parametrize("field", ["tags", "confidence", "other captions"])
def test_a_version_whose_figures_are_no_numbers_is_unfit(
    ana: User, another: ModelVersion, field: str
) -> None:
    for _ in range(3):
        a_sight(a_photo(ana), tags=[("cat", 0.9)], caption="a cat")
    with pytest.raises(Refused, match="not numbers"):
        activating.activate(another, lambda: NoNumbers(field), tell=silent)
    assert Verdict.objects.get().outcome == "unfit"
    assert not Sight.objects.filter(version=another).exists()
