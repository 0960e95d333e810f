"""What is fitted to the library, other than by corrections, is not fitted to held-out photos."""

import pytest

from tests.factories import a_photo, a_user
from webapp.teach.runs.holdout import is_held_out
from webapp.teach.training import problem
from webapp.teach.versions.fetched import photos_to_fit_to

pytestmark = pytest.mark.django_db


def test_no_model_is_fitted_to_a_photo_by_which_versions_are_judged() -> None:
    ada = a_user("ada")
    photos = [a_photo(ada, with_thumbnails=False) for _ in range(30)]
    allowed = {photo.pk for photo in photos if not is_held_out(photo.sha256)}
    assert 0 < len(allowed) < 30
    assert set(photos_to_fit_to()) == allowed
    assert len(problem.background(32)) == len(allowed)
