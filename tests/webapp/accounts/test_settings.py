"""What people choose for themselves on their account's page."""

import pytest
from django.test import Client

from tests.factories import a_photo, a_sight
from webapp.accounts.models import Language, User

pytestmark = pytest.mark.django_db

HOME = "/account/"


def test_captions_come_in_the_language_that_was_chosen(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    a_sight(photo, caption="two dogs", other_captions={"de": ("zwei Hunde", 0.6)})
    address = f"/photos/{photo.pk}/"
    assert 'alt="two dogs"' in as_ana.get(address).text

    answer = as_ana.post(HOME, {"caption_language": "de"}, follow=True)

    assert "Your settings are saved." in answer.text
    assert '<option value="de" selected>Deutsch</option>' in answer.text
    assert 'alt="zwei Hunde" lang="de"' in as_ana.get(address).text
    assert '<p class="caption-text" lang="de">zwei Hunde</p>' in as_ana.get(address).text


def test_without_a_choice_it_is_english(as_ana: Client, ana: User) -> None:
    assert ana.language is Language.ENGLISH
    assert '<option value="en" selected>English</option>' in as_ana.get(HOME).text


@pytest.mark.parametrize("language", ["fr", "", "<b>"])
def test_a_language_that_marea_does_not_write_is_refused(
    as_ana: Client, ana: User, language: str
) -> None:
    answer = as_ana.post(HOME, {"caption_language": language})
    assert answer.status_code == 200
    assert "Your settings are saved." not in answer.text
    ana.refresh_from_db()
    assert ana.caption_language == ""
