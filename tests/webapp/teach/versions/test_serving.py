"""One request is answered by one model version; a person's word stands whichever it is."""

import pytest

from tests.factories import a_photo, a_sight, a_user, an_embedding
from vision.sight import Sight as Seen
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag, reject_tag
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.seen_tags import store_model_tags
from webapp.teach.services import active_version, sights_of
from webapp.teach.versions.serving import one_version

pytestmark = pytest.mark.django_db


def seen(*tags: str) -> Seen:
    return Seen(an_embedding(), [(tag, 0.9) for tag in tags], "", 0.0)


def another(photo: Photo, *tags: str) -> ModelVersion:
    """A version that is not active and has seen the photo."""
    version = ModelVersion.objects.create(name="another", folder=active_version().folder)
    Sight.objects.bulk_create(sights_of(version, [(photo, seen(*tags))]))
    store_model_tags(version, [(photo, seen(*tags))])
    return version


def flip(version: ModelVersion) -> None:
    ModelVersion.objects.update(is_active=False)
    ModelVersion.objects.filter(pk=version.pk).update(is_active=True)


def shown() -> set[str]:
    return set(PhotoTag.objects.shown().values_list("tag__name", flat=True))


def photo_seen_as(*tags: str) -> Photo:
    photo = a_photo(a_user())
    a_sight(photo, tags=[(tag, 0.9) for tag in tags])
    return photo


def of(photo: Photo):
    return Photo.objects.filter(pk=photo.pk)


def test_what_versions_see_lives_side_by_side():
    other = another(photo_seen_as("cat"), "dog")
    assert shown() == {"cat"}
    flip(other)
    assert shown() == {"dog"}


def test_a_block_stays_with_the_version_that_it_read_first():
    other = another(photo_seen_as("cat"), "dog")
    with one_version():
        assert shown() == {"cat"}
        flip(other)
        assert shown() == {"cat"}
        assert active_version() != other
        assert Sight.objects.of_active_version().get().version != other
    assert shown() == {"dog"}


def test_a_block_may_name_its_version_and_the_outer_one_comes_back():
    other = another(photo_seen_as("cat"), "dog")
    with one_version():
        before = active_version()
        with one_version(other):
            assert (active_version(), shown()) == (other, {"dog"})
        assert (active_version(), shown()) == (before, {"cat"})


@pytest.mark.parametrize(("say", "left"), [(add_tag, {"cat"}), (reject_tag, set())])
def test_where_a_person_spoke_no_version_has_a_row(say, left):
    photo = photo_seen_as("cat")
    other = another(photo, "cat")
    say(photo.owner, of(photo), "cat")
    for version in (active_version(), other):
        store_model_tags(version, [(photo, seen("cat"))])
    assert PhotoTag.objects.get().version is None
    flip(other)
    assert shown() == left


def test_a_request_asks_which_version_serves_once(client, django_assert_max_num_queries):
    photo = photo_seen_as("cat")
    client.force_login(photo.owner)
    with django_assert_max_num_queries(100) as asked:
        client.get("/", {"q": "cat"})
    which = [each for each in asked if 'FROM "teach_modelversion"' in each["sql"]]
    assert len(which) == 1
