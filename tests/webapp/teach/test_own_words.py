"""A word that one person taught a version is not said on photos of people who never used it."""

from pathlib import Path

import pytest

from tests.factories import a_photo, a_user, an_embedding
from tests.webapp.teach.switching.twins import a_twin, that_learned
from vision.errors import WeightsError
from vision.sight import Sight as Seen
from webapp.accounts.models import User
from webapp.library.models import Photo, PhotoQuerySet
from webapp.teach.corrections.saying import add_tag, reject_tag, undo
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.services import store_sights

pytestmark = pytest.mark.django_db

SEEN = [("miso", 0.9), ("dog", 0.8)]


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    """At work, and it learned Ada's word for her dog."""
    folder = that_learned(a_twin(tmp_path / "learned"), "miso")
    return ModelVersion.objects.create(name="learned", folder=str(folder), is_active=True)


def look(version: ModelVersion, *photos: Photo) -> None:
    for photo in photos:
        photo.state, photo.holder = Photo.State.WAITING, "tests"
        photo.save()
    seen = [(photo, Seen(an_embedding(), SEEN, "", 0.0)) for photo in photos]
    assert store_sights("tests", version, seen, {}) == len(photos)


def tags(owner: User) -> set[str]:
    shown = PhotoTag.objects.shown().visible_to(owner)
    return set(shown.values_list("tag__name", flat=True))


def of(photo: Photo) -> PhotoQuerySet:
    return Photo.objects.filter(pk=photo.pk)


def test_a_word_of_one_person_is_said_on_their_photos_only(version: ModelVersion) -> None:
    ada, bob = a_user("ada"), a_user("bob")
    add_tag(ada, of(a_photo(ada)), "miso")
    hers, his = a_photo(ada), a_photo(bob)
    look(version, hers, his)
    assert tags(ada) == {"miso", "dog"}
    assert tags(bob) == {"dog"}
    assert [name for name, _ in Sight.objects.get(photo=his).tags] == ["dog"]


def test_nor_does_an_undo_bring_it_out(version: ModelVersion) -> None:
    ada, bob = a_user("ada"), a_user("bob")
    add_tag(ada, of(a_photo(ada)), "miso")
    his = a_photo(bob)
    look(version, his)
    undo(bob, reject_tag(bob, of(his), "miso").act)
    assert tags(bob) == {"dog"}


def test_who_gives_the_word_themselves_hears_it_from_then_on(version: ModelVersion) -> None:
    bob = a_user("bob")
    first, second = a_photo(bob), a_photo(bob)
    look(version, first)
    assert tags(bob) == {"dog"}
    add_tag(bob, of(a_photo(bob)), "miso")
    look(version, second)
    assert set(second.photo_tags.values_list("tag__name", flat=True)) == {"miso", "dog"}


def test_a_damaged_table_says_nothing_rather_than_too_much(
    version: ModelVersion, tmp_path: Path
) -> None:
    (tmp_path / "learned" / "tags.csv").write_text("word,group\n")
    photo = a_photo(a_user())
    with pytest.raises(WeightsError, match="SHA-256"):
        look(version, photo)
    assert not PhotoTag.objects.exists()
