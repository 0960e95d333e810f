"""Conditions find the photos that they say, on whichever database the tests run on."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.albums.models import Album, AlbumPhoto
from webapp.find.query.understanding import understand
from webapp.find.services import find_photos, matching_photos
from webapp.library.models import Photo
from webapp.library.services.places import place, remember_places
from webapp.teach.corrections.saying import add_tag
from webapp.teach.models import ModelVersion
from webapp.teach.text_models import ReadText

pytestmark = pytest.mark.django_db

ROME = {"latitude": 41.89, "longitude": 12.49}
NEW_YORK = {"latitude": 40.71, "longitude": -74.0}


@pytest.fixture
def owner() -> User:
    return a_user()


def taken(owner: User, *moment: int, **fields: object) -> Photo:
    at = datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]
    return a_photo(owner, with_thumbnails=False, taken_at=at, **fields)


def placed(owner: User, **fields: float) -> Photo:
    photo = a_photo(owner, with_thumbnails=False, **fields)
    place(photo)
    photo.save()
    remember_places([photo])
    return photo


def matching(owner: User, text: str) -> set[Photo]:
    query = understand(owner, text)
    assert query.conditions
    assert not query.text
    return set(matching_photos(owner, query))


def test_months_and_weekdays_come_again_every_year_and_week(owner: User) -> None:
    christmas = taken(owner, 2019, 12, 25, 23, 30)  # a Wednesday
    new_year = taken(owner, 2022, 1, 1, 0, 30)  # a Saturday
    june = taken(owner, 2023, 6, 4, 12)  # a Sunday

    assert matching(owner, "in December") == {christmas}
    assert matching(owner, "in winter") == {christmas, new_year}
    assert matching(owner, "at christmas") == {christmas}
    assert matching(owner, "on 26 December") == set()
    assert matching(owner, "on weekends") == {new_year, june}
    assert matching(owner, "on sundays") == {june}
    assert matching(owner, "not on weekends") == {christmas}
    assert matching(owner, "in December 2019") == {christmas}
    assert matching(owner, "weekends before 2023") == {new_year}


def test_places_are_found_by_town_region_and_country(owner: User) -> None:
    rome, york = placed(owner, **ROME), placed(owner, **NEW_YORK)
    nowhere = a_photo(owner, with_thumbnails=False)

    for text in ("place:rome", "place:LAZIO", "place:italy", "in Rome", "taken in italy"):
        assert matching(owner, text) == {rome}, text
    for text in ('place:"new york"', "in New York", 'place:"New York City"'):
        assert matching(owner, text) == {york}, text
    assert matching(owner, "-place:rome") == {york, nowhere}
    assert matching(owner, "has:place") == {rome, york}
    assert matching(owner, "place:york") == set()
    assert understand(owner, "in Paris").text == "in Paris"  # no photo is from there
    assert understand(a_user(), "in Rome").text == "in Rome"


def test_what_should_not_be_there_is_left_out_by_tag_caption_and_narrower_words(
    owner: User,
) -> None:
    woman, taxi, words, empty = (a_photo(owner, with_thumbnails=False) for _ in range(4))
    a_sight(woman, tags=[("woman", 0.9)])
    a_sight(taxi, tags=[("taxi", 0.9)])
    a_sight(words, caption="two people in cars")
    a_sight(empty, tags=[("beach", 0.9)])

    assert matching(owner, "without people") == {taxi, empty}
    assert matching(owner, "no cars") == {woman, empty}
    assert matching(owner, "without people or cars") == {empty}
    assert matching(owner, "-car") == {woman, empty}
    assert matching(owner, "shows:person") == {woman, words}


def test_what_looks_like_the_unwanted_comes_later(owner: User) -> None:
    from tests.webapp.find.test_services import a_scene

    with_dog = a_scene(owner, "a dog on the beach")
    without = a_scene(owner, "an empty beach")
    for number in range(12):
        a_scene(owner, f"a kitchen with {number} plates")

    def places(text: str) -> list[int]:
        found = [each.photo for each in find_photos(owner, text, show_more=True).found]
        return [found.index(with_dog), found.index(without)]

    asked, denied = places("a dog on the beach"), places("beach without a dog")
    assert asked[0] < asked[1]
    assert denied[1] < denied[0]


def test_albums_types_shapes_and_what_photos_have(owner: User) -> None:
    wide = a_photo(owner, with_thumbnails=False, width=4000, height=1000, own_caption="the Alps")
    high = a_photo(owner, with_thumbnails=False, width=30, height=40, media_type="image/png")
    shot = a_photo(owner, with_thumbnails=False, width=50, height=50, file_name="Screenshot 1.png")
    add_tag(owner, Photo.objects.filter(pk=high.pk), "sketch")
    album = Album.objects.create(owner=owner, name="Summer in Sicily")
    AlbumPhoto.objects.create(album=album, photo=high)

    assert matching(owner, 'album:"summer in sicily"') == {high}
    assert matching(owner, '-album:"summer in sicily"') == {wide, shot}
    assert matching(owner, "type:png") == {high}
    assert matching(owner, "type:JPG") == {wide, shot}
    assert matching(owner, "type:raw") == set()
    assert matching(owner, "type:landscape") == matching(owner, "type:panorama") == {wide}
    assert matching(owner, "type:portrait") == {high}
    assert matching(owner, "type:square") == matching(owner, "type:screenshot") == {shot}
    assert matching(owner, "has:caption") == {wide}
    ReadText.objects.create(photo=shot, engine="tests", text="NO PARKING")
    assert matching(owner, "has:text") == {shot}
    assert matching(owner, "has:tags") == {high}
    assert matching(owner, "-has:tags") == {wide, shot}


def test_exact_words_need_no_model(owner: User) -> None:
    photo = a_photo(owner, with_thumbnails=False)
    a_sight(photo, caption="a red car on a road")
    ModelVersion.objects.update(folder="/nowhere", name="gone")  # nothing could be embedded

    for text in ('"red car"', '"red car" -"blue"', '"red car" no dogs'):
        assert [each.photo for each in find_photos(owner, text).found] == [photo], text


NASTY = [
    *(
        "'",
        "''",
        '"',
        '""',
        "--",
        ";",
        "/*",
        "%",
        "_",
        "\\",
        "*",
        "^",
        "(",
        ")",
        "{",
        "NEAR(",
        "AND",
    ),
    *("OR 1=1", "'; DROP TABLE library_photo; --", "stems:", "rowid", "NULL", "\x00"),
    *(
        "🏖️",
        "日本",
        "a" * 300,
        "..",
        "2019",
        "-",
        "é",
        "ß",
        "%s",
        "%(a)s",
        "{}",
        "$1",
        "&",
        "|",
        "!",
    ),
]
PREFIXES = [
    *("tag:", "camera:", "place:", "album:", "type:", "has:", "is:", "shows:", "every:", "taken:"),
    *(
        "from:",
        "to:",
        "before:",
        "after:",
        "-",
        "-tag:",
        "in ",
        "no ",
        "without ",
        "last ",
        "",
        '"',
    ),
]
pieces = st.tuples(st.sampled_from(PREFIXES), st.sampled_from(NASTY) | st.text(max_size=20))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts=st.lists(pieces, min_size=1, max_size=4), quoted=st.booleans())
def test_no_condition_breaks_out_of_its_place(
    owner: User, parts: list[tuple[str, str]], quoted: bool
) -> None:
    text = " ".join(f'{prefix}"{value}"' if quoted else prefix + value for prefix, value in parts)

    photos = matching_photos(owner, understand(owner, text))

    assert photos.count() == len(list(photos[:5])) == 0  # nobody has photos here
    assert set(photos.values_list("owner", flat=True)) == set()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts=st.lists(pieces, min_size=1, max_size=3))
def test_every_query_and_its_chips_have_a_page(
    as_ana: Client, ana: User, parts: list[tuple[str, str]]
) -> None:
    text = " ".join(prefix + value for prefix, value in parts)
    data = {"q": text.encode("utf-8", "ignore").decode()}
    if not Photo.objects.exists():
        a_sight(a_photo(ana, with_thumbnails=False), tags=[("dog", 0.9)], caption="a dog")

    answer = as_ana.get("/search/", data)

    assert answer.status_code == 200
    assert as_ana.get("/search/completions", data).status_code == 200
    for chip in answer.context["chips"]:
        assert as_ana.get(chip.turned_url).status_code == 200
        assert as_ana.get(chip.removed_url).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        *(
            "31 February",
            "before:2019-02-31",
            "2018-2015",
            "from:2020 to:2018",
            "is:blue",
            "type:x",
        ),
        *("type:x", '"unclosed', "- - -- ---", "\u202etfel ot thgir", "x" * 10_000, "tag:" * 2_000),
        *('"a" ' * 2_500, "no " * 3_000, "-a " * 3_000, "last summer " * 900, "(" * 10_000),
    ],
)
def test_bad_input_is_answered_in_words(as_ana: Client, text: str) -> None:
    answer = as_ana.get("/search/", {"q": text})

    assert answer.status_code == 200
    assert b"<h1" in answer.content


def test_what_was_not_understood_is_on_the_page(as_ana: Client) -> None:
    page = as_ana.get("/search/", {"q": "dinner 31 February"}).content.decode()

    assert "There is no 31 February; searched for it as text." in page
