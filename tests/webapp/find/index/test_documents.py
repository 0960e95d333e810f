"""What full-text search knows about a photo."""

from pathlib import Path

import pytest
from django.db import connection

from search import fulltext
from tests.factories import a_photo, a_sight, a_user, an_image_file
from webapp.find.query.embedding import embed_query
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.library.services.adding import add_photo
from webapp.teach.corrections.saying import reject_tag
from webapp.teach.services import active_version

pytestmark = pytest.mark.django_db


def a_tagged_photo(*tags: str) -> Photo:
    """It looks like its tags: what a model calls a dog and what does not look like one is none."""
    photo = a_photo(a_user(), with_thumbnails=False)
    embedding = embed_query(active_version(), f"a photo of a {tags[0]}")
    a_sight(photo, embedding=embedding, tags=[(tag, 0.9) for tag in tags])
    return photo


@pytest.mark.parametrize("query", ["puppies", "doggy", "dogs", "animal", "animals", '"dogs"'])
def test_a_photo_of_a_dog_is_found_by_every_name_for_a_dog(query: str) -> None:
    photo = a_tagged_photo("dog")
    page = find_photos(photo.owner, query, show_more=True)
    assert [found.photo for found in page.found] == [photo]


def test_a_photo_explains_itself_by_its_own_tag() -> None:
    photo = a_tagged_photo("dog")
    (found,) = find_photos(photo.owner, "dogs").found
    assert "tagged dog" in found.reasons


def test_a_tag_that_a_person_took_away_takes_its_other_names_along() -> None:
    photo = a_tagged_photo("dog")
    reject_tag(photo.owner, Photo.objects.filter(pk=photo.pk), "dog")
    (texts,) = fulltext.read(connection, [photo.pk])
    assert texts.tags == ()


def test_a_tag_of_a_persons_own_has_its_plural() -> None:
    photo = a_tagged_photo("zork")
    (texts,) = fulltext.read(connection, [photo.pk])
    assert texts.tags == (("zork",), ("zorks",))


def test_a_photo_is_found_where_it_was_taken_and_says_so() -> None:
    photo = a_photo(a_user(), town="Rome", region="Lazio", country="Italy")
    a_sight(photo)

    for query, reason in (("rome", "taken in Rome"), ("italy", "taken in Italy")):
        (found,) = find_photos(photo.owner, query).found
        assert reason in found.reasons
    (exact,) = find_photos(photo.owner, '"lazio"').found
    assert exact.photo == photo


def test_a_photo_is_found_by_the_folders_it_came_in(tmp_path: Path) -> None:
    owner = a_user()
    folder = tmp_path / "Travels" / "Italy 2019"
    folder.mkdir(parents=True)
    photo = add_photo(owner, an_image_file(folder), file_name=f"{folder}/photo.jpg").photo
    assert photo.file_name == "photo.jpg"

    (found,) = find_photos(owner, "italy").found
    assert found.photo == photo
    assert found.reasons == ("in folder ‘Italy 2019’",)
    assert [hit.photo for hit in find_photos(owner, '"travels italy 2019"').found] == [photo]
