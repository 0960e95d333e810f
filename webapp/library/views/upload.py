"""The upload page and the tus 1.0 server behind it (https://tus.io/protocols/resumable-upload).

Core protocol with the extensions creation, creation-with-upload, termination and expiration. The
request that brings the last byte is answered with `{"photo": {...}, "outcome": ...}`.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import http_date
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.http import SignedInRequest
from webapp.errors import UserError
from webapp.library.models import Upload
from webapp.library.services import uploads
from webapp.library.services.adding import Added
from webapp.responses import Problem

TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = "creation,creation-with-upload,termination,expiration"
BYTES = "application/offset+octet-stream"
BLOCK_BYTES = 1 << 20
SILENCE_S = 30  # a connection that brings nothing for so long is given up
DRAINED_BYTES = 64 << 20  # twice what our page sends in one request
MAX_KNOWN = 1_000  # hashes in one question

View = Callable[..., HttpResponse]


class WrongVersion(UserError):
    status = 412
    code = "tus_version"


class WrongType(UserError):
    status = 415
    code = "wrong_type"


@require_GET
def upload_page(request: SignedInRequest) -> HttpResponse:
    limit_mb = settings.MAREA_MAX_FILE_MB
    context = {"max_file_mb": limit_mb, "max_bytes": limit_mb << 20}
    return render(request, "library/upload.html", context)


@require_POST
def known(request: SignedInRequest) -> JsonResponse:
    """Which of these SHA-256s are in the library: `{"hashes": [...]}` gives `{"known": {...}}`."""
    hashes = _hashes(request)
    photos = uploads.known_photos(request.user, hashes)
    return JsonResponse({"known": {sha256: _photo(pk) for sha256, pk in photos.items()}})


def tus(view: View) -> View:
    """Speak tus: check the version, answer failures as JSON, name the version in each answer."""

    @wraps(view)
    def wrapped(request: SignedInRequest, **arguments: str) -> HttpResponse:
        try:
            _check_version(request)
            response = view(request, **arguments)
        except UserError as error:
            drain(request)
            problem = Problem.of(error)
            response = JsonResponse(problem.as_json(), status=problem.status)
        response["Tus-Resumable"] = response["Tus-Version"] = TUS_VERSION
        response["Cache-Control"] = "no-store"
        return response

    return wrapped


@tus
def upload_files(request: SignedInRequest) -> HttpResponse:
    """Announce a file, perhaps with its first bytes; or ask what this server can do."""
    if request.method == "OPTIONS":
        return _abilities()
    if request.method == "POST":
        return _create(request)
    return HttpResponseNotAllowed(["OPTIONS", "POST"])


@tus
def upload_file(request: SignedInRequest, key: str) -> HttpResponse:
    """Go on with an upload, ask how far it is, or drop it."""
    method = request.method
    if method == "POST":  # for proxies that know neither PATCH nor DELETE
        method = request.headers.get("X-HTTP-Method-Override", "POST")
    if method not in ("HEAD", "PATCH", "DELETE"):
        return HttpResponseNotAllowed(["HEAD", "PATCH", "DELETE"])
    upload = uploads.find_upload(request.user, key)
    if method == "HEAD":
        return _progress(upload)
    if method == "PATCH":
        return _append(request, upload)
    uploads.cancel_upload(upload)
    return HttpResponse(status=204)


def _check_version(request: HttpRequest) -> None:
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != TUS_VERSION:
        raise WrongVersion(f"This server speaks tus {TUS_VERSION}; name it in Tus-Resumable.")


def _abilities() -> HttpResponse:
    response = HttpResponse(status=204)
    response["Tus-Extension"] = TUS_EXTENSIONS
    response["Tus-Max-Size"] = settings.MAREA_MAX_FILE_MB << 20
    return response


def _create(request: SignedInRequest) -> HttpResponse:
    metadata = parse_metadata(request.headers.get("Upload-Metadata", ""))
    upload = uploads.start_upload(
        request.user,
        file_name=metadata.get("filename", ""),
        size_bytes=_number(request, "Upload-Length"),
        modified_at=_modified_at(metadata.get("lastModified", "")),
    )
    added = None
    if request.content_type == BYTES or upload.size_bytes == 0:
        body = Body(request)
        added = uploads.receive(upload, body, offset=0)
        if body.is_cut:  # nobody hears the address of this upload, so nobody can go on with it
            uploads.end_upload(upload)
            raise UserError("The connection broke. Send the file again.", code="cut")
    response = _received(upload, added, status=201)
    response["Location"] = reverse("library:upload_file", args=[upload.key])
    return response


def _append(request: HttpRequest, upload: Upload) -> HttpResponse:
    if request.content_type != BYTES:
        raise WrongType(f"The bytes of a file are sent as {BYTES}.")
    offset = _number(request, "Upload-Offset")
    added = uploads.receive(upload, Body(request), offset=offset)
    return _received(upload, added, status=200 if added else 204)


def _received(upload: Upload, added: Added | None, *, status: int) -> HttpResponse:
    """How far the upload is now, and what became of the photo when it is complete."""
    if added:
        body = {"photo": _photo(added.photo.pk), "outcome": added.outcome.value}
        response: HttpResponse = JsonResponse(body, status=status)
        response["Upload-Offset"] = upload.size_bytes
        return response
    response = HttpResponse(status=status)
    response["Upload-Offset"] = uploads.offset_of(upload)
    response["Upload-Expires"] = http_date(uploads.expires_at(upload).timestamp())
    return response


def _progress(upload: Upload) -> HttpResponse:
    response = HttpResponse(status=200)
    response["Upload-Offset"] = uploads.offset_of(upload)
    response["Upload-Length"] = upload.size_bytes
    response["Upload-Expires"] = http_date(uploads.expires_at(upload).timestamp())
    return response


def _photo(photo_id: int) -> dict[str, int | str]:
    return {"id": photo_id, "url": reverse("library:photo", args=[photo_id])}


class Body:
    """A request's body as it arrives; it ends where the connection does, and what came is kept."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.received_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        connection = self.request.META.get("gunicorn.socket")
        if connection is not None:
            connection.settimeout(SILENCE_S)
        try:
            while block := self.request.read(BLOCK_BYTES):
                self.received_bytes += len(block)
                yield block
        except UnreadablePostError:
            return
        finally:
            if connection is not None:
                connection.settimeout(None)

    @property
    def is_cut(self) -> bool:
        """Whether fewer bytes came than the request announced."""
        return self.received_bytes < int(self.request.META.get("CONTENT_LENGTH") or 0)


def drain(request: HttpRequest) -> None:
    """Take in what is still being sent: a client whose body is cut off hears no answer."""
    left_bytes = DRAINED_BYTES
    for block in Body(request):
        left_bytes -= len(block)
        if left_bytes <= 0:
            return


def parse_metadata(header: str) -> dict[str, str]:
    """`Upload-Metadata`: pairs of a key and a base64 value, separated by commas."""
    pairs = (pair.split() for pair in header.split(",") if pair.strip())
    return {key: _decoded("".join(value)) for key, *value in pairs}


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise UserError("Upload-Metadata holds a value that is not base64.") from error


def _number(request: HttpRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise UserError(f"{header} has to be a whole number of bytes.", field=header)
    return int(text)


def _modified_at(milliseconds: str) -> datetime | None:
    """The file's own time, as browsers give it; anything strange is no time at all."""
    if not re.fullmatch(r"[0-9]{1,15}", milliseconds):
        return None
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _hashes(request: HttpRequest) -> list[str]:
    try:
        hashes = json.loads(request.body)["hashes"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError('Send {"hashes": [...]} as JSON.') from error
    if not isinstance(hashes, list) or len(hashes) > MAX_KNOWN:
        raise UserError(f"Ask for at most {MAX_KNOWN:,} hashes at a time.", field="hashes")
    return [
        text for text in hashes if isinstance(text, str) and re.fullmatch(r"[0-9a-f]{64}", text)
    ]
