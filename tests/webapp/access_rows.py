"""The access matrix: every address and method of Marea, and whom it concerns.

A new address needs a row here (`test_access_matrix.py` fails without one). Its kind says what is
then tested:

- PUBLIC   anybody, signed in or not
- MINE     one's own things without naming them: lists, counts, searches, uploads, tokens
- ONE      one thing named in the path: somebody else's answers exactly like an unknown one
- MANY     things named in the query or body: somebody else's are left out exactly like unknown ones
- PEOPLE   administrators only
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import image_bytes
from webapp.library.cursors import signed

# Words that only the owner's photos carry; nobody else's answer may hold one.
SECRET = "zanzibar"


class Kind(Enum):
    PUBLIC = "public"
    MINE = "mine"
    ONE = "one"
    MANY = "many"
    PEOPLE = "people"


@dataclass(frozen=True, kw_only=True)
class Things:
    """What belongs to somebody, by the names that addresses and bodies use."""

    photo_id: int
    trashed_id: int
    failed_id: int
    sha256: str
    token_id: int
    key: str
    user_id: int
    album_id: int = 999_999
    size: str = "small"
    action: str = "unfavourite"
    example: str = "unknown"
    stack_id: int = 999_999
    act: str = "00000000-0000-4000-8000-000000000000"
    taught_id: int = 999_999


Request = Callable[[Things], dict[str, Any]]


def nothing(things: Things) -> dict[str, Any]:
    return {}


def form(**fields: Any) -> Request:
    """Fields of a form; `{photo_id}` and the like stand for the things."""
    return lambda things: {"data": {name: _fill(value, things) for name, value in fields.items()}}


def body(**fields: Any) -> Request:
    """Fields of a JSON body; functions make theirs from the things."""

    def request(things: Things) -> dict[str, Any]:
        made = {name: _fill(value, things) for name, value in fields.items()}
        return {"data": json.dumps(made), "content_type": "application/json"}

    return request


def a_file(things: Things) -> dict[str, Any]:
    return {"data": {"file": SimpleUploadedFile("a.jpg", image_bytes())}}


def tus(content: bytes = b"", **headers: Any) -> Request:
    return lambda things: {
        "data": content,
        "content_type": "application/offset+octet-stream",
        "headers": {"Tus-Resumable": "1.0.0"} | headers,
    }


def a_question(things: Things) -> dict[str, Any]:
    """Whether a tag that is taught stands on a photo, as its page asks."""
    questions = signed([[things.photo_id, "unsure", 1.0]], salt="marea.questions")
    return {"data": {"questions": questions, "says": "yes"}}


def photo_id(things: Things) -> int:
    return things.photo_id


def ids(things: Things) -> list[int]:
    return [things.photo_id]


def trashed(things: Things) -> list[int]:
    return [things.trashed_id]


def failed(things: Things) -> list[int]:
    return [things.failed_id]


def hashes(things: Things) -> list[str]:
    return [things.sha256]


def _fill(value: Any, things: Things) -> Any:
    if callable(value):
        return value(things)
    return value.format_map(vars(things)) if isinstance(value, str) else value


@dataclass(frozen=True)
class Row:
    """`ok` is what the owner (of PEOPLE: an administrator) is answered."""

    method: str
    route: str
    kind: Kind
    ok: int = 200
    request: Request = field(default=nothing, repr=False)

    def __str__(self) -> str:
        return f"{self.method} /{self.route}"

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")

    @property
    def reads(self) -> bool:
        return self.method in ("GET", "HEAD", "OPTIONS")


MINE, ONE, MANY, PUBLIC, PEOPLE = Kind.MINE, Kind.ONE, Kind.MANY, Kind.PUBLIC, Kind.PEOPLE
PHOTO = "photos/<int:photo_id>"
ALBUM = "albums/<int:album_id>"
TAUGHT = "teach/<int:taught_id>"
TAG = "tags/<int:taught_id>"
API = "api/v1/"
PERSON = "account/people/<int:user_id>"

PAGES = [
    Row("GET", "", MINE),
    Row("GET", "photos/months", MINE),
    Row("GET", "photos/tiles", MANY, request=form(photos="{photo_id}")),
    Row("GET", f"{PHOTO}/", ONE),
    Row("GET", f"{PHOTO}/", MANY, request=form(similar="{photo_id}")),
    Row("GET", f"{PHOTO}/original", ONE),
    Row("GET", f"{PHOTO}/thumbnail/<str:size>", ONE),
    Row("GET", f"{PHOTO}/similar/", ONE),
    Row("POST", f"{PHOTO}/tags", ONE, 302, form(say="add", tag="dog")),
    Row("POST", f"{PHOTO}/caption", ONE, 302, form(caption="Ours")),
    Row("GET", "photos/tags", MANY, request=form(photos="{photo_id}")),
    Row("POST", "corrections/<uuid:act>/undo", ONE, 302),
    Row("GET", "teach/", MINE),
    Row("POST", "teach/new", MINE, 302, form(tag="rex")),
    Row("POST", "teach/new", MANY, 302, form(tag="rex", photos="{photo_id}")),
    Row("GET", f"{TAUGHT}/", ONE),
    Row("GET", f"{TAUGHT}/", ONE, request=form(q=SECRET)),
    Row("POST", f"{TAUGHT}/examples", ONE, 302, form(photos="{photo_id}")),
    Row("POST", f"{TAUGHT}/answer", ONE, 302, a_question),
    Row("POST", f"{TAUGHT}/undo/<uuid:act>", ONE, 302, a_question),
    Row("POST", f"{TAUGHT}/switch", ONE, 302, form(on="no")),
    Row("POST", f"{TAUGHT}/rename", ONE, 302, form(tag="rex")),
    Row("POST", f"{TAUGHT}/delete", ONE, 302),
    Row("POST", f"{TAUGHT}/restore", ONE, 302),
    Row("POST", "photos/bulk/<str:action>", MANY, 302, form(photos="{photo_id}")),
    Row("POST", "photos/zip", MANY, request=form(photos="{photo_id}")),
    Row("GET", f"{PHOTO}/stack", ONE),
    Row("GET", "duplicates/", MINE),
    Row("POST", "duplicates/folding", MINE, 302, form(fold="on")),
    Row("POST", "duplicates/<int:stack_id>", ONE, 302, form(do="trash", keep="{photo_id}")),
    Row("GET", "trash/", MINE),
    Row("POST", "trash/empty", MINE, 302),
    Row("GET", "search/", MINE),
    Row("GET", "search/", MINE, request=form(q=SECRET)),
    Row("GET", "search/", MINE, request=form(q=f"tag:{SECRET}")),
    Row("GET", "search/", MINE, request=form(q="is:favourite", more="on")),
    Row("GET", "search/completions", MINE, request=form(q=SECRET[:4])),
    Row("GET", "search/completions", MINE, request=form(q=f"tag:{SECRET[:4]}")),
    Row("POST", "search/not-this", MANY, 302, form(photos="{photo_id}", q="dog")),
    Row("GET", "search/", MANY, request=form(like="{photo_id}")),
    Row("GET", "search/", ONE, request=form(image="{example}")),
    Row("POST", "search/pictures", MINE, 201, a_file),
    Row("GET", "search/pictures/<str:example>", ONE),
    Row("GET", "albums/", MINE),
    Row("GET", "albums/names", MINE),
    Row("POST", "albums/new", MINE, 302, form(album="New")),
    Row("GET", f"{ALBUM}/", ONE),
    Row("GET", f"{PHOTO}/", ONE, request=form(album="{album_id}")),
    Row("POST", f"{ALBUM}/rename", ONE, 302, form(album="Other")),
    Row("POST", f"{ALBUM}/delete", ONE, 302),
    Row("GET", "upload/", MINE),
    Row("POST", "upload/known", MANY, request=body(hashes=hashes)),
    Row("POST", "upload/files", MINE, 201, tus(**{"Upload-Length": "9"})),
    Row("OPTIONS", "upload/files", MINE, 204),
    Row("HEAD", "upload/files/<slug:key>", ONE, 200, tus()),
    Row("PATCH", "upload/files/<slug:key>", ONE, 204, tus(b"abc", **{"Upload-Offset": "0"})),
    Row("DELETE", "upload/files/<slug:key>", ONE, 204, tus()),
    Row("POST", "upload/files/<slug:key>", ONE, 204, tus(**{"X-HTTP-Method-Override": "DELETE"})),
    Row("GET", "processing/", MINE),
    Row("GET", "processing/failures", MINE),
    Row("POST", "processing/retry", MANY, 302, form(photo="{failed_id}")),
]
ACCOUNTS = [
    Row("GET", "account/", MINE),
    Row("POST", "account/", MINE, 302, form(caption_language="de")),
    Row("GET", "account/searches/", MINE),
    Row("POST", "account/searches/keep", MINE, 302, form(keep="yes")),
    Row("POST", "account/searches/erase", MINE, 302, form(all="yes")),
    Row("GET", "account/set-up/", PUBLIC, 302),
    Row("POST", "account/set-up/", PUBLIC, 302),
    Row("GET", "account/sign-in/", PUBLIC, 302),
    Row("POST", "account/sign-in/", PUBLIC, 302),
    Row("POST", "account/sign-out/", PUBLIC, 302),
    Row("GET", "account/password/", MINE),
    Row("POST", "account/password/", MINE, request=form(old_password="wrong")),
    Row("GET", "account/tokens/", MINE),
    Row("POST", "account/tokens/", MINE, request=form(name="a", scope="read")),
    Row("POST", "account/tokens/<int:token_id>/revoke", ONE, 302),
    Row("GET", "account/people/", PEOPLE),
    Row("GET", "account/people/add/", PEOPLE),
    Row("POST", "account/people/add/", PEOPLE, request=form(username="new")),
    Row("POST", f"{PERSON}/password", PEOPLE),
    Row("POST", f"{PERSON}/deactivate", PEOPLE, 302),
    Row("POST", f"{PERSON}/reactivate", PEOPLE, 302),
]
PROGRAMS = [
    Row("GET", f"{API}photos", MINE),
    Row("GET", f"{API}photos", MINE, request=form(tag=SECRET)),
    Row("GET", f"{API}photos", MINE, request=form(trash="true")),
    Row("POST", f"{API}photos", MINE, 201, a_file),
    Row("POST", f"{API}photos/known", MANY, request=body(sha256=hashes)),
    Row("GET", f"{API}{PHOTO}", ONE),
    Row("PATCH", f"{API}{PHOTO}", ONE, request=body(caption="Ours", add_tags=["dog"])),
    Row("DELETE", f"{API}{PHOTO}", ONE),
    Row("POST", f"{API}{PHOTO}/restore", ONE),
    Row("GET", f"{API}{PHOTO}/original", ONE),
    Row("GET", f"{API}{PHOTO}/thumbnail/<size>", ONE),
    Row("GET", f"{API}{PHOTO}/similar", ONE),
    Row("GET", f"{API}{PHOTO}/heatmap", ONE, 202, form(q="a dog")),
    Row("POST", f"{API}photos/trash", MANY, request=body(ids=ids)),
    Row("POST", f"{API}photos/restore", MANY, request=body(ids=trashed)),
    Row("POST", f"{API}photos/favourite", MANY, request=body(ids=ids, is_favourite=False)),
    Row("POST", f"{API}photos/tag", MANY, request=body(ids=ids, tag="dog")),
    Row("POST", f"{API}photos/untag", MANY, request=body(ids=ids, tag=SECRET)),
    Row("POST", f"{API}photos/confirm-tag", MANY, request=body(ids=ids, tag=SECRET)),
    Row("POST", f"{API}photos/rename-tag", MANY, request=body(ids=ids, tag=SECRET, new="dog")),
    Row("POST", f"{API}photos/retry", MANY, request=body(ids=failed)),
    Row("GET", f"{API}corrections", MINE),
    Row("GET", f"{API}corrections", MANY, request=form(photo="{photo_id}")),
    Row("POST", f"{API}corrections/<uuidstr:act>/undo", ONE),
    Row("GET", f"{API}search", MINE, request=form(q=SECRET)),
    Row("GET", f"{API}search", MINE, request=form(q=f"tag:{SECRET}")),
    Row("GET", f"{API}albums", MINE),
    Row("POST", f"{API}albums", MINE, 201, body(name="New")),
    Row("GET", f"{API}{ALBUM}", ONE),
    Row("PATCH", f"{API}{ALBUM}", ONE, request=body(name="Other")),
    Row("DELETE", f"{API}{ALBUM}", ONE),
    Row("POST", f"{API}{ALBUM}/add", ONE, request=body(ids=ids)),
    Row("POST", f"{API}{ALBUM}/remove", ONE, request=body(ids=ids)),
    Row("GET", f"{API}tags", MINE),
    Row("GET", f"{API}tags", MINE, request=form(start=SECRET[:3])),
    Row("GET", f"{API}taught-tags", MINE),
    Row("POST", f"{API}taught-tags", MANY, 201, body(tag="rex", ids=ids)),
    Row("GET", f"{API}taught-{TAG}", ONE),
    Row(
        "POST",
        f"{API}taught-tags/<int:taught_id>/answers",
        ONE,
        request=body(photo_id=photo_id, shows=True),
    ),
    Row("PATCH", f"{API}taught-tags/<int:taught_id>", ONE, request=body(tag="rex")),
    Row("DELETE", f"{API}taught-tags/<int:taught_id>", ONE, 204),
    Row("GET", f"{API}jobs", MINE),
    Row("GET", f"{API}models", MINE),
    Row("GET", f"{API}openapi.json", PUBLIC),
    Row("GET", f"{API}docs", PUBLIC),
    Row("GET", API, PUBLIC, 404),
]
ROWS = [*PAGES, *ACCOUNTS, *PROGRAMS, Row("GET", "healthz", PUBLIC, 503)]
