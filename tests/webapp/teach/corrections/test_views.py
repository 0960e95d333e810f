"""A person's word about one photo, from its page."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.teach.models import Correction, PhotoTag

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def tag(as_ana: Client, photo: Photo, say: str, name: str) -> str:
    address = reverse("teach:tag", args=[photo.pk])
    answer = as_ana.post(address, {"say": say, "tag": name}, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_added_tag_is_shown_and_links_to_its_photos(as_ana: Client, ana: User) -> None:
    shown = tag(as_ana, a_photo(ana), "add", "Our Garden")
    assert "our garden" in shown
    assert "?q=tag%3A%22our+garden%22" in shown


def test_a_removed_tag_stays_away_when_a_model_sees_it_again(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    a_sight(photo, tags=[("dog", 0.9), ("beach", 0.8)])
    shown = tag(as_ana, photo, "remove", "dog")
    assert "beach" in shown
    assert "?q=tag%3Adog" not in shown
    a_sight(photo, tags=[("dog", 0.99)])
    assert not PhotoTag.objects.shown().filter(photo=photo, tag__name="dog").exists()


def test_a_tag_with_html_in_it_is_text(as_ana: Client, ana: User) -> None:
    shown = tag(as_ana, a_photo(ana), "add", '<script>alert("x")</script>')
    assert "<script>" not in shown


def test_a_caption_is_taken_and_given_back(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    a_sight(photo, caption="two dogs")
    address = reverse("teach:caption", args=[photo.pk])
    assert "Rex" in as_ana.post(address, {"caption": "Rex"}, headers=HTMX).content.decode()
    assert "two dogs" in as_ana.post(address, {"caption": " "}, headers=HTMX).content.decode()
    assert Correction.objects.filter(photo=photo, kind="caption").count() == 2


def test_without_scripts_the_photos_page_comes_back(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    page = reverse("library:photo", args=[photo.pk])
    for address in (
        reverse("teach:tag", args=[photo.pk]),
        reverse("teach:caption", args=[photo.pk]),
    ):
        answer = as_ana.post(address, {"say": "add", "tag": "dog", "caption": "Rex"})
        assert answer.headers["Location"] == page


@pytest.mark.parametrize("say", ["", "shout"])
def test_a_tag_is_added_or_removed_and_nothing_else(as_ana: Client, ana: User, say: str) -> None:
    address = reverse("teach:tag", args=[a_photo(ana).pk])
    assert as_ana.post(address, {"say": say, "tag": "dog"}, headers=HTMX).status_code == 422


@pytest.mark.parametrize("name", ["teach:tag", "teach:caption"])
def test_nobody_speaks_about_others_photos(as_ana: Client, name: str) -> None:
    theirs = a_photo(a_user("bob"))
    fields = {"say": "add", "tag": "dog", "caption": "mine now"}
    foreign = as_ana.post(reverse(name, args=[theirs.pk]), fields, headers=HTMX)
    unknown = as_ana.post(reverse(name, args=[10**9]), fields, headers=HTMX)
    assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content)
    assert foreign.status_code == 404
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Rex\0 runs", "Rex runs"),
        ("Rex\u202e runs\n", "Rex runs"),
        ("x" * 600, "x" * 500),
        ("👩\u200d🚀 in space", "👩\u200d🚀 in space"),
    ],
)
def test_words_are_kept_without_what_no_database_stores(
    as_ana: Client, ana: User, typed: str, kept: str
) -> None:
    photo = a_photo(ana)
    address = reverse("teach:caption", args=[photo.pk])
    assert as_ana.post(address, {"caption": typed}, headers=HTMX).status_code == 200
    photo.refresh_from_db()
    assert photo.own_caption == kept
