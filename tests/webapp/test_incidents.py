"""What went wrong in other photo libraries must not go wrong here.

Each test replays a published incident where Marea has the feature. The access matrix covers the
rest of their kind: bulk paths without an owner, and changes without a CSRF token.
"""

import io
import json
import zipfile
from typing import Any

import pytest
from django.utils.html import escape

from tests.factories import a_photo, a_sight, a_token, a_user, an_administrator, image_bytes
from tests.webapp.clients import browser_of, program_of
from webapp.accounts.models import ApiToken, User
from webapp.find.index import engine
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag, write_caption

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return a_user("owner")


@pytest.fixture
def attacker() -> User:
    return a_user("attacker")


@pytest.mark.parametrize("action", ["trash", "favourite", "tag"])
def test_librephotos_cve_2026_57943_bulk_changes_skip_foreign_photos_among_own(
    action: str, owner: User, attacker: User
) -> None:
    theirs, own = a_photo(owner), a_photo(attacker)
    before = Photo.objects.filter(pk=theirs.pk).values().get()
    form = {"photos": f"{own.pk},{theirs.pk}", "tag": "x"}
    browser = browser_of(attacker)
    page = browser.post(f"/photos/bulk/{action}", form, headers={"Accept": "application/json"})
    assert page.json()["count"] == 1
    body: dict[str, Any] = {"ids": [own.pk, theirs.pk]} | ({"tag": "y"} if action == "tag" else {})
    path = f"/api/v1/photos/{action}"
    program = program_of(attacker)
    answer = program.post(path, json.dumps(body), content_type="application/json")
    assert answer.json()["changed"] <= 1
    assert Photo.objects.filter(pk=theirs.pk).values().get() == before
    assert not theirs.photo_tags.exists()


def test_librephotos_ghsa_phvg_g65q_rhq3_a_zip_holds_only_own_originals(
    owner: User, attacker: User
) -> None:
    secret, ours = image_bytes(), image_bytes()
    theirs, own = a_photo(owner, data=secret), a_photo(attacker, data=ours)
    browser = browser_of(attacker)
    answer = browser.post("/photos/zip", {"photos": f"{theirs.pk},{own.pk}"})
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert [archive.read(name) for name in archive.namelist()] == [ours]
    assert browser.post("/photos/zip", {"photos": str(theirs.pk)}).status_code == 404


def test_immich_cve_2026_23896_a_token_cannot_widen_itself(attacker: User) -> None:
    program = program_of(attacker, "read")
    token = ApiToken.objects.get()
    for path in ("tokens", f"tokens/{token.pk}", f"api-tokens/{token.pk}", "account/tokens"):
        for method in ("post", "put", "patch"):
            call = getattr(program, method)
            body = json.dumps({"scope": "write"})
            assert call(f"/api/v1/{path}", body, content_type="application/json").status_code == 404
    program.post("/account/tokens/", {"name": "wider", "scope": "write"})
    assert list(ApiToken.objects.values_list("scope", flat=True)) == ["read"]


HOSTILE = (
    '"><script>alert(1)</script>',
    '0;url=https://evil.example" http-equiv="refresh',
    "'><img src=x onerror=alert(1)>",
    "</script><svg/onload=alert(1)>",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_immich_cve_2026_40096_and_piwigo_cve_2024_28662_hostile_text_stays_text(
    text: str,
) -> None:
    """In names, tags, captions, errors and queries, on every page that shows one."""
    engine.close()
    user = an_administrator(f"admin{text}")
    photo = a_photo(user, file_name=f"{text}.jpg", camera=text, lens=text)
    a_sight(photo, caption=text, tags=[(text, 0.9)])
    add_tag(user, Photo.objects.filter(pk=photo.pk), text)
    write_caption(user, photo, text)
    a_photo(user, file_name=text, state="failed", error=text)
    trashed_at = photo.uploaded_at
    a_sight(a_photo(user, file_name=text, trashed_at=trashed_at), caption=text)
    a_token(user, name=text)
    browser = browser_of(user)
    assert escape(text) in browser.get(f"/photos/{photo.pk}/").text
    for path in ("/", f"/photos/{photo.pk}/", f"/photos/{photo.pk}/similar/", "/trash/",
                 "/processing/", "/upload/", "/account/", "/account/tokens/", "/account/people/",
                 f"/photos/{photo.pk}/?q={text}", "/nowhere"):  # fmt: skip
        assert text not in browser.get(path).text, path
    assert text not in browser.get("/search/", {"q": text}).text
    assert text not in browser.get("/search/", {"q": text, "more": "on"}).text


INJECTIONS = (
    "before:2024-01-01' OR '1'='1",
    "after:1' UNION SELECT password FROM accounts_user --",
    "before:2024'; DROP TABLE library_photo; --",
    "tag:x') OR 1=1 --",
    'camera:"%" OR 1=1',
    "date:0000-00-00",
    "before:99999-99-99 after:-1",
    '"unclosed AND NEAR(a b) OR NOT *',
    "col:val ^a* {x y} : file_name MATCH 'x'",
)


@pytest.mark.parametrize("query", INJECTIONS)
def test_piwigo_cve_2026_27634_dates_and_words_are_never_sql(
    query: str, owner: User, attacker: User
) -> None:
    engine.close()
    theirs = a_photo(owner, file_name="secret.jpg")
    a_sight(theirs, caption="secret")
    program = program_of(attacker, "read")
    answer = program.get("/api/v1/search", {"q": query})
    assert answer.status_code == 200
    assert answer.json()["results"] == []
    for name in ("tag", "cursor", "state"):
        assert program.get("/api/v1/photos", {name: query}).status_code in (200, 400, 422)
    assert program.get("/api/v1/tags", {"start": query}).json() == {"tags": []}
    assert Photo.objects.count() == 1
