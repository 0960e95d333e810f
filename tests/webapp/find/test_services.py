"""Finding photos, from the words typed to the photos shown, with the text encoder that ships."""

from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import a_photo, a_sight, a_user, an_image_file
from webapp.accounts.models import User
from webapp.find.query.embedding import embed_query
from webapp.find.services import find_photos, similar_photos, suggestions
from webapp.library.models import Photo
from webapp.library.services.adding import add_photo
from webapp.library.services.favourites import set_favourite
from webapp.library.services.trash import trash_photos
from webapp.teach.corrections.saying import add_tag, reject_tag
from webapp.teach.services import active_version
from webapp.teach.words import alternative_text

pytestmark = pytest.mark.django_db

SCENES = [
    "two dogs running on the beach", "a cat asleep on a sofa", "a red car in a street at night",
    "snow on a high mountain", "a plate of pasta with tomatoes", "children playing football",
    "a train at a station", "a vase of flowers on a table", "an airplane in the sky",
    "a woman surfing on a big wave", "an elephant in the savannah", "a bicycle against a wall",
]  # fmt: skip


def a_scene(owner: User, text: str, *, tags: tuple[str, ...] = (), caption: str = "") -> Photo:
    """A photo whose embedding is what the encoder makes of `text`."""
    photo = a_photo(owner, with_thumbnails=False)
    embedding = embed_query(active_version(), text).copy()
    embedding[-1] = 0.0  # where texts have a constant, photos have next to nothing
    embedding /= np.linalg.norm(embedding)
    a_sight(photo, embedding=embedding, tags=[(tag, 0.9) for tag in tags], caption=caption)
    return photo


@pytest.fixture
def owner() -> User:
    return a_user()


@pytest.fixture
def scenes(owner: User) -> dict[str, Photo]:
    return {text: a_scene(owner, text) for text in SCENES}


def found(user: User, text: str, *, show_more: bool = True) -> list[Photo]:
    return [each.photo for each in find_photos(user, text, show_more=show_more).found]


@pytest.mark.parametrize(
    ("query", "scene"),
    [
        ("dogs at the seaside", "two dogs running on the beach"),
        ("kitten sleeping", "a cat asleep on a sofa"),
        ("spaghetti", "a plate of pasta with tomatoes"),
        ("surfer on a wave", "a woman surfing on a big wave"),
    ],
)
def test_a_photo_is_found_by_what_is_in_it(
    owner: User, scenes: dict[str, Photo], query: str, scene: str
) -> None:
    assert found(owner, query)[0] == scenes[scene]


def test_a_tag_a_caption_and_a_file_name_find_what_the_embedding_does_not(
    owner: User, scenes: dict[str, Photo]
) -> None:
    tagged = a_scene(owner, "a blurry thing", tags=("axolotl",))
    captioned = a_scene(owner, "a blurry thing", caption="an axolotl in a tank")
    named = a_scene(owner, "a blurry thing")
    Photo.objects.filter(pk=named.pk).update(file_name="axolotl_2.jpg")
    a_sight(named, embedding=embed_query(active_version(), "a blurry thing"))

    page = find_photos(owner, "axolotl", show_more=True)

    reasons = {each.photo.pk: each.reasons for each in page.found}
    assert set(list(reasons)[:3]) == {tagged.pk, captioned.pk, named.pk}
    assert "tagged axolotl" in reasons[tagged.pk]
    assert "caption says ‘axolotl’" in reasons[captioned.pk]
    assert "file name has ‘axolotl’" in reasons[named.pk]


def test_a_tag_that_a_person_took_away_finds_nothing(owner: User) -> None:
    photo = a_scene(owner, "a blurry thing", tags=("axolotl",))
    reject_tag(owner, Photo.objects.filter(pk=photo.pk), "axolotl")

    assert not any("axolotl" in str(each.reasons) for each in find_photos(owner, "axolotl").found)
    assert found(owner, "tag:axolotl") == []


def test_nothing_of_another_s_is_found(owner: User, scenes: dict[str, Photo]) -> None:
    stranger = a_user()
    mine = a_scene(stranger, "two dogs running on the beach", tags=("dog",))

    for query in ("dogs on the beach", "tag:dog", '"dog"', "-cat"):
        assert set(found(stranger, query)) <= {mine}
        assert mine not in found(owner, query)
    assert similar_photos(stranger, mine) == []
    assert mine not in similar_photos(owner, scenes["two dogs running on the beach"], 50)


def test_trashed_photos_are_not_found(owner: User, scenes: dict[str, Photo]) -> None:
    photo = scenes["a cat asleep on a sofa"]
    assert photo in found(owner, "cat")

    trash_photos(Photo.objects.filter(pk=photo.pk))

    assert photo not in found(owner, "cat")
    assert photo not in found(owner, "-dog")


def test_conditions_limit_what_is_found(owner: User, scenes: dict[str, Photo]) -> None:
    dogs, cat, car = (scenes[text] for text in SCENES[:3])
    add_tag(owner, Photo.objects.filter(pk__in=[dogs.pk, cat.pk]), "Pet")
    set_favourite(Photo.objects.filter(pk=cat.pk), True)
    Photo.objects.filter(pk=car.pk).update(camera="Canon EOS 90D")
    Photo.objects.filter(pk=dogs.pk).update(shown_at="2019-12-31T23:59:00Z")
    Photo.objects.exclude(pk=dogs.pk).update(shown_at="2020-01-01T00:00:00Z")

    assert set(found(owner, "tag:pet")) == {dogs, cat}
    assert found(owner, "tag:pet is:favourite") == [cat]
    assert found(owner, "camera:eos") == [car]
    assert found(owner, "before:2020") == [dogs]
    assert dogs not in found(owner, "from:2020")
    assert found(owner, "animal tag:pet -is:favourite") == [dogs]
    assert found(owner, "tag:pet tag:none") == []


def test_exact_words_and_their_absence(owner: User) -> None:
    red = a_scene(owner, "a car", caption="a red car on a road")
    car = a_scene(owner, "a car", caption="a car on a red road")

    assert found(owner, '"red car"') == [red]
    assert found(owner, '-"red car"') == [car]
    assert found(owner, "car -red") == []
    assert found(owner, '"…"') == []


def test_results_are_cut_off_unless_more_is_wanted(owner: User, scenes: dict[str, Photo]) -> None:
    page = find_photos(owner, "two dogs running on the beach")

    assert 1 <= page.confident < len(SCENES)
    assert len(page.found) == page.confident
    assert page.hidden == page.total - page.confident
    more = find_photos(owner, "two dogs running on the beach", show_more=True)
    assert (more.hidden, len(more.found)) == (0, page.total)


def test_pages_follow_each_other_without_gap_or_repetition(
    owner: User, scenes: dict[str, Photo]
) -> None:
    for query in ("an animal outdoors", "-nothing"):
        whole = [each.photo.pk for each in find_photos(owner, query, show_more=True).found]
        offset: int | None = 0
        pages: list[int] = []
        while offset is not None:
            page = find_photos(owner, query, limit=5, offset=offset, show_more=True)
            pages += [each.photo.pk for each in page.found]
            offset = page.next_offset
        assert pages == whole
        assert len(whole) == len(SCENES)


@pytest.mark.parametrize(
    "text", ["", "  ", "…?!", "🏖️", "日本の海", "-", '"', "x" * 10_000, "a " * 5_000, "\x00\ud800"]
)
def test_any_text_is_answered(owner: User, scenes: dict[str, Photo], text: str) -> None:
    find_photos(owner, text)


def test_nothing_typed_finds_nothing(owner: User, scenes: dict[str, Photo]) -> None:
    page = find_photos(owner, " ")

    assert (page.total, page.found, page.next_offset) == (0, [], None)


def test_an_empty_library_finds_nothing(owner: User) -> None:
    assert find_photos(owner, "dog").total == 0
    assert suggestions(owner) == []


@pytest.mark.parametrize("query", ["dog", "dog tag:pet -cat", "tag:pet"])
def test_many_results_cost_as_many_queries_as_few(owner: User, query: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page = find_photos(owner, query, show_more=True)
            [alternative_text(each.photo) for each in page.found]
        return len(captured)

    a_scene(owner, "a dog", tags=("pet",), caption="a dog")
    find_photos(owner, query)
    few = queries()
    for _ in range(9):
        a_scene(owner, "a dog", tags=("pet",), caption="a dog")
    find_photos(owner, query)

    assert queries() == few


def test_similar_photos_are_the_nearest_without_the_photo_itself(
    owner: User, scenes: dict[str, Photo]
) -> None:
    photo = scenes["two dogs running on the beach"]
    alike = a_scene(owner, "two dogs run along the beach")

    similar = similar_photos(owner, photo, 3)

    assert similar[0] == alike
    assert len(similar) == 3
    assert photo not in similar
    assert similar_photos(owner, a_photo(owner)) == []


def test_words_of_captions_in_every_language_find(owner: User) -> None:
    photo = a_photo(owner, with_thumbnails=False)
    german = {"de": ("zwei Hunde am Strand", 0.6), "fr": ("deux chiens", 0.1)}
    a_sight(photo, caption="two dogs on a beach", other_captions=german)

    for words in ('"two dogs"', '"Hunde am Strand"'):
        assert [found.photo for found in find_photos(owner, words).found] == [photo]
    assert find_photos(owner, '"deux chiens"').found == []  # too unlikely to be shown


def test_a_condition_on_a_tag_takes_narrower_and_other_words_for_it(owner: User) -> None:
    dog = a_scene(owner, "a scene", tags=("golden retriever",))
    a_scene(owner, "a scene", tags=("train",))
    own = a_scene(owner, "a scene", tags=("Rex the third",))

    for query in ("tag:dog", "tag:Dogs", "tag:animal", 'tag:"golden retriever"'):
        assert [found.photo for found in find_photos(owner, query).found] == [dog], query
    assert [found.photo for found in find_photos(owner, 'tag:"rex the third"').found] == [own]
    assert dog not in [found.photo for found in find_photos(owner, "-tag:animal").found]


def test_suggestions_are_the_commonest_tags(owner: User) -> None:
    for tags in (("dog", "beach"), ("dog",), ("cat", "dog", "beach")):
        a_scene(owner, "a scene", tags=tags)
    a_scene(a_user(), "a scene", tags=("secret",))

    assert suggestions(owner) == ["dog", "beach", "cat"]


@pytest.mark.parametrize("state", [Photo.State.WAITING, Photo.State.FAILED])
def test_a_photo_that_nobody_has_looked_at_is_found_by_its_name(
    owner: User, tmp_path: Path, state: Photo.State
) -> None:
    a_scene(owner, "a dog")
    file = an_image_file(tmp_path)
    photo = add_photo(owner, file, file_name="Zanzibar harbour.jpg").photo
    Photo.objects.filter(pk=photo.pk).update(state=state)

    for query in ("zanzibar", '"zanzibar"', "zanzibar is:favourite"):
        set_favourite(Photo.objects.filter(pk=photo.pk), True)
        (found,) = find_photos(owner, query).found
        assert found.photo == photo
    assert find_photos(owner, "zanzibar").found[0].reasons == ("file name has ‘zanzibar’",)
    assert photo not in similar_photos(owner, photo)


def test_another_name_of_a_tag_counts_as_the_tag_but_a_narrower_word_does_not(
    owner: User,
) -> None:
    wave = a_scene(owner, "a blurry thing", tags=("surfing",))
    dog = a_scene(owner, "a blurry thing", tags=("dog",))

    assert find_photos(owner, "surfer").confident == 1
    assert found(owner, "surfer")[0] == wave
    assert find_photos(owner, "puppies").confident == 0
    assert found(owner, "puppies")[0] == dog
