"""A photo in words: its caption in the reader's language, and what stands for it unseen."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import Language, User
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag, reject_tag
from webapp.teach.words import (
    alternative_text,
    caption_of,
    found_as,
    model_captions,
    tags_of,
    with_words,
)

pytestmark = pytest.mark.django_db

GERMAN = {"de": ("zwei Hunde am Strand", 0.6)}


def read(photo: Photo) -> Photo:
    """As its owner reads it."""
    return with_words(Photo.objects.filter(pk=photo.pk), photo.owner).get()


def caption(photo: Photo) -> tuple[str, str] | None:
    shown = caption_of(read(photo))
    return (shown.text, shown.language) if shown else None


def a_german(**fields: str) -> User:
    return a_user(caption_language=Language.GERMAN, **fields)


def test_a_caption_is_shown_in_the_language_of_who_reads_it() -> None:
    for owner, expected in (
        (a_german(), ("zwei Hunde am Strand", "de")),
        (a_user(), ("two dogs on a beach", "en")),
    ):
        photo = a_photo(owner)
        a_sight(photo, caption="two dogs on a beach", other_captions=GERMAN)
        assert caption(photo) == expected


@pytest.mark.parametrize("other", [None, {"de": ("ein Zug", 0.1)}, {"fr": ("un train", 0.9)}])
def test_without_a_likely_one_in_that_language_it_is_english(
    other: dict[str, tuple[str, float]] | None,
) -> None:
    photo = a_photo(a_german())
    a_sight(photo, caption="a train", other_captions=other)
    assert caption(photo) == ("a train", "en")


def test_each_language_is_held_to_the_threshold_by_itself(settings: Settings) -> None:
    settings.MAREA_CAPTION_CONFIDENCE = 0.55  # the factory's English captions have 0.5
    photo = a_photo(a_german())
    a_sight(photo, caption="two dogs on a beach", other_captions=GERMAN)
    assert caption(photo) == ("zwei Hunde am Strand", "de")
    assert model_captions(read(photo)) == {"de": "zwei Hunde am Strand"}


def test_an_english_reader_is_not_shown_german() -> None:
    photo = a_photo(a_user())
    a_sight(photo, other_captions=GERMAN)
    assert caption(photo) is None


def test_a_persons_caption_outranks_every_language() -> None:
    photo = a_photo(a_german(), own_caption="Rex and Bella")
    a_sight(photo, caption="two dogs on a beach", other_captions=GERMAN)
    shown = caption_of(read(photo))
    assert shown is not None
    assert (shown.text, shown.source, shown.language) == ("Rex and Bella", "person", "")
    assert alternative_text(read(photo)).lang == ""


def test_the_alternative_text_says_when_it_is_in_another_language_than_the_page() -> None:
    photo = a_photo(a_german())
    a_sight(photo, caption="two dogs on a beach", other_captions=GERMAN)
    words = alternative_text(read(photo))
    assert (words.text, words.lang) == ("zwei Hunde am Strand", "de")


def test_without_a_caption_tags_stand_for_the_photo_and_those_rejected_do_not() -> None:
    photo = a_photo(a_user())
    a_sight(photo, tags=[("dog", 0.9), ("cat", 0.8), ("grass", 0.7)])
    mine = Photo.objects.filter(pk=photo.pk)
    reject_tag(photo.owner, mine, "cat")
    add_tag(photo.owner, mine, "rex")
    assert alternative_text(read(photo)).text == "Photo tagged rex, dog, grass"


def test_what_a_tag_implies_comes_after_the_others() -> None:
    photo = a_photo(a_user())
    seen = [("animal", 0.99), ("dog", 0.98), ("grass", 0.95), ("golden retriever", 0.9)]
    a_sight(photo, tags=seen)
    tags = tags_of(read(photo))
    assert [each.tag.name for each in tags] == ["grass", "golden retriever", "animal", "dog"]
    assert found_as(tags) == ["nature"]  # grass is
    assert alternative_text(read(photo)).text == "Photo tagged grass, golden retriever, animal, dog"


def test_broader_words_are_named_where_the_tag_alone_is_shown() -> None:
    photo = a_photo(a_user())
    a_sight(photo, tags=[("golden retriever", 0.9)])
    add_tag(photo.owner, Photo.objects.filter(pk=photo.pk), "rex the third")
    assert found_as(tags_of(read(photo))) == ["dog", "animal"]


def test_of_a_photo_of_which_nothing_is_known_the_date_is_said() -> None:
    photo = a_photo(a_user(), taken_at=datetime(2024, 3, 9, tzinfo=UTC), state="waiting")
    assert alternative_text(read(photo)).text == "Photo of 9 March 2024"


def test_words_cost_two_queries_however_many_photos() -> None:
    owner = a_german()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            found = with_words(Photo.objects.visible_to(owner), owner)
            assert all(alternative_text(photo).text for photo in found)
        return len(captured)

    for _ in range(2):
        a_sight(a_photo(owner), caption="a dog", tags=[("dog", 0.9)], other_captions=GERMAN)
    few = queries()
    for number in range(8):
        a_sight(a_photo(owner), tags=[("dog", 0.9), (f"tag {number}", 0.8)])
    assert few == queries() == 3
