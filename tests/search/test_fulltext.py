"""Full text on whichever database the tests run on."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search import fulltext
from search.fulltext import Document
from search.texts import MAX_READ_WORDS, Texts, originals
from search.words import content_words, split
from tests.factories import a_photo, a_user
from webapp.library.models import Photo, PhotoQuerySet

pytestmark = pytest.mark.django_db


def exactly(words: str, photos: PhotoQuerySet | None = None) -> list[int]:
    photos = Photo.objects.in_library() if photos is None else photos
    ids = fulltext.containing(connection, words)
    return list(photos.filter(pk__in=ids).values_list("pk", flat=True)) if ids else []


def visible() -> PhotoQuerySet:
    return Photo.objects.in_library()


def indexed(tags: list[str] | None = None, caption: str = "", file_name: str = "x.jpg") -> int:
    """A photo with these texts; its id."""
    photo = a_photo(a_user())
    fulltext.upsert(connection, [Document(photo.pk, tags or [], caption, file_name)])
    return photo.pk


def found(*words: str, limit: int = 100) -> list[int]:
    return fulltext.search(connection, visible(), words, limit)


def test_words_are_found_by_their_stem_in_every_field() -> None:
    tagged = indexed(tags=["dog"])
    captioned = indexed(caption="Two dogs run along a beach")
    named = indexed(file_name="IMG_2031 Beach-Dog.jpg")
    indexed(caption="a cat")

    assert set(found("dogs")) == {tagged, captioned, named}
    assert set(found("running", "img")) == {captioned, named}


def test_photos_with_more_of_the_words_come_first() -> None:
    one = indexed(caption="a dog sleeps on a large red sofa")
    both = indexed(caption="a dog runs along the empty beach")

    assert found("dog", "beach") == [both, one]
    assert found("dog", "beach", limit=1) == [both]


def test_rare_words_are_found_beside_common_ones_and_the_newest_of_these() -> None:
    hotel = indexed(caption="the hotel of a dog")
    dogs = [indexed(caption="a dog", tags=["animal"]) for _ in range(60)]

    found_photos = found("dog", "hotel", "aurora", "lake", limit=40)
    assert hotel in found_photos
    assert set(found_photos) - {hotel} == set(dogs[-20:])  # as many as any word gets
    assert found("animal", "dog", limit=5) == dogs[:-6:-1]


def test_all_words_of_a_long_text_are_looked_up() -> None:
    words = [f"word{number}" for number in range(40)]
    photos = [indexed(caption=word) for word in words]
    assert set(found(*words, limit=500)) == set(photos)


@pytest.mark.parametrize("text", ["dying", "ponies", "skies", "puppies", "news", "Größe", "7"])
def test_a_text_with_a_word_is_read_whatever_its_ending(text: str) -> None:
    photo_id = indexed(tags=["cat"], caption=f"one {text} two")
    indexed(caption="a book", file_name="a.jpg")
    (texts,) = fulltext.read(connection, [photo_id, photo_id + 1], having=content_words(text))
    assert (texts.photo_id, texts.caption, texts.tags) == (photo_id, tuple(split(text)), ())


def test_of_texts_with_a_word_only_names_of_places_and_albums_come_whole() -> None:
    document = Document(
        a_photo(a_user()).pk,
        tags=["red sofa", "dog"],
        caption="dogs on a sofa",
        file_name="sofa.jpg",
        read="No dogs\non this bench",
        place=["Dog Island", "Florida"],
        albums=["Our dogs", "Summer"],
    )
    fulltext.upsert(connection, [document])
    (texts,) = fulltext.read(connection, [document.photo_id], having=content_words("dog"))
    assert texts == Texts(
        document.photo_id,
        tags=(("dog",),),
        caption=("dogs",),
        name=(),
        read="dogs",
        place=(("dog", "island"), ("florida",)),
        albums=(("our", "dogs"), ("summer",)),
        shown=texts.shown,
    )


def test_a_photo_is_indexed_as_it_is_now() -> None:
    photo_id = indexed(caption="a dog")
    fulltext.upsert(connection, [Document(photo_id, ["cat"], "", "x.jpg")])
    assert (found("dog"), found("cat")) == ([], [photo_id])

    fulltext.delete(connection, [photo_id])
    assert found("cat") == []


def test_only_visible_photos_are_found() -> None:
    owner, stranger = a_user(), a_user()
    photos = [a_photo(owner), a_photo(stranger)]
    fulltext.upsert(connection, [Document(photo.pk, ["dog"], "", "x.jpg") for photo in photos])
    mine = Photo.objects.visible_to(owner)

    assert fulltext.search(connection, mine, ["dog"], 10) == [photos[0].pk]
    assert exactly("dog", mine) == [photos[0].pk]
    assert fulltext.search(connection, mine.none(), ["dog"], 10) == []


def test_exact_words_stand_together_and_as_written() -> None:
    together = indexed(caption="a red car at night")
    indexed(caption="a car in red")
    indexed(caption="red cars")
    across = indexed(tags=["red", "car"])

    assert exactly("Red CAR") == [together]
    assert set(exactly("car")) >= {together, across}
    assert fulltext.containing(connection, "… !") is None


def test_texts_are_read_back_as_words() -> None:
    photo_id = indexed(["hot dog", "beach"], "A boy’s lunch", "IMG_1.jpg")

    (texts,) = fulltext.read(connection, [photo_id])

    assert texts == Texts(
        photo_id, (("hot", "dog"), ("beach",)), ("a", "boy", "lunch"), ("img", "1")
    )
    assert fulltext.read(connection, []) == []
    assert fulltext.read(connection, [photo_id], having=[]) == []


# What would break out of a query if it reached one.
HOSTILE = [
    '"', "'", "''", "\\", ":*", "a:*", "NEAR(", "a AND", "OR", "NOT", "-", "*", "^a", "{x}: y",
    "a & b | !c", "<->", "%s", "%", "\x00", "\ud800", "\u202e", "); DROP TABLE find_text; --", "ﬁ",
]  # fmt: skip


@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text() | st.lists(st.sampled_from(HOSTILE)).map(" ".join))
def test_no_text_is_a_syntax_error_and_what_is_indexed_is_found(text: str) -> None:
    photo = Photo.objects.first() or a_photo(a_user())
    fulltext.upsert(connection, [Document(photo.pk, [text], text, text)])

    expected = [photo.pk] if split(text) else []
    assert found(text) == expected
    assert exactly(text) == expected


def test_read_text_place_and_albums_are_found_by_stem_and_exactly() -> None:
    photo = a_photo(a_user())
    document = Document(
        photo.pk,
        [],
        "",
        "x.jpg",
        read="HOTEL\nROMA",
        place=["Rome", "Lazio", "Italy"],
        albums=["Weddings 2019", "Best of"],
        folder="Camera Roll",
    )
    fulltext.upsert(connection, [document])

    for words in (["hotels"], ["italy"], ["wedding"], ["roll"]):
        assert found(*words) == [photo.pk]
    for exact in ("hotel roma", "lazio", "weddings 2019", "camera roll"):
        assert exactly(exact) == [photo.pk]
    assert exactly("2019 best") == []  # across two albums


def test_texts_come_back_with_what_people_wrote() -> None:
    photo = a_photo(a_user())
    document = Document(photo.pk, [], "", "x.jpg", read="Café\n50 €", albums=["Été 2019", "!"])
    fulltext.upsert(connection, [document])

    (texts,) = fulltext.read(connection, [photo.pk])

    assert texts.read == "cafe 50"
    assert texts.albums == (("ete", "2019"), ())
    assert originals(texts, "read") == ["Café", "50 €"]
    assert originals(texts, "albums") == ["Été 2019", "!"]
    assert originals(texts, "place") == []


def test_a_page_full_of_text_is_cut() -> None:
    photo = a_photo(a_user())
    page = " ".join(f"word{number}" for number in range(MAX_READ_WORDS + 5))
    fulltext.upsert(connection, [Document(photo.pk, [], "", "x.jpg", read=page)])

    assert exactly(f"word{MAX_READ_WORDS - 1}") == [photo.pk]
    assert exactly(f"word{MAX_READ_WORDS + 1}") == []


def test_a_table_of_the_first_form_is_widened_and_loses_nothing() -> None:
    photo_id = indexed(tags=["dog"], caption="a red car", file_name="Rome.jpg")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE VIRTUAL TABLE first USING fts5(stems, tags UNINDEXED, caption UNINDEXED, "
                "name UNINDEXED, tokenize = 'ascii')"
            )
            cursor.execute(
                "INSERT INTO first (rowid, stems, tags, caption, name) "
                "SELECT rowid, stems, tags, caption, name FROM find_text"
            )
            cursor.execute("DROP TABLE find_text")
            cursor.execute("ALTER TABLE first RENAME TO find_text")
        else:
            for column in ("read", "place", "albums", "shown"):
                cursor.execute(f"ALTER TABLE find_text DROP COLUMN {column}")

    for _ in range(2):  # the second time there is nothing to do
        fulltext.widen_table(connection)

    assert found("dogs") == [photo_id]
    assert exactly("red car") == [photo_id]
    (texts,) = fulltext.read(connection, [photo_id])
    assert (texts.tags, texts.read, texts.albums) == ((("dog",),), "", ())
    fulltext.upsert(connection, [Document(photo_id, [], "", "x.jpg", read="EXIT")])
    assert found("exit") == [photo_id]
