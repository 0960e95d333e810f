"""A tus 1.0 server (https://tus.io/protocols/resumable-upload), for whatever comes in large.

Core protocol with the extensions creation, creation-with-upload, termination and expiration. What
comes and what becomes of it is a `Receiver`'s.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.request import UnreadablePostError
from django.urls import reverse
from django.utils.http import http_date

from webapp.accounts.http import SignedInRequest
from webapp.errors import UserError
from webapp.library.models import Upload
from webapp.library.services import uploads
from webapp.responses import Problem

TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = "creation,creation-with-upload,termination,expiration"
BYTES = "application/offset+octet-stream"
BLOCK_BYTES = 1 << 20
SILENCE_S = 30  # a connection that brings nothing for so long is given up
DRAINED_BYTES = 64 << 20  # twice what our page sends in one request

View = Callable[..., HttpResponse]


class WrongVersion(UserError):
    status = 412
    code = "tus_version"


class WrongType(UserError):
    status = 415
    code = "wrong_type"


class Receiver(Protocol):
    """One kind of file that comes in."""

    purpose: str  # of its `Upload`s
    address: str  # name of the URL of one upload, by its key

    @property
    def largest_bytes(self) -> int: ...

    def announce(
        self, request: SignedInRequest, metadata: dict[str, str], size_bytes: int
    ) -> Upload:
        """Begin an upload. Raises `UserError` for one that may not come."""
        ...

    def take(self, upload: Upload) -> dict[str, Any]:
        """Take the complete file; what to answer to its last byte. Raises `UserError`."""
        ...


def views(receiver: Receiver) -> tuple[View, View]:
    """The view that files are announced to, and the one of each file on its way."""

    @_speaks_tus
    def files(request: SignedInRequest) -> HttpResponse:
        """Announce a file, perhaps with its first bytes; or ask what this server can do."""
        if request.method == "OPTIONS":
            return _abilities(receiver)
        if request.method == "POST":
            return _create(request, receiver)
        return HttpResponseNotAllowed(["OPTIONS", "POST"])

    @_speaks_tus
    def file(request: SignedInRequest, key: str) -> HttpResponse:
        """Go on with an upload, ask how far it is, or drop it."""
        method = request.method
        if method == "POST":  # for proxies that know neither PATCH nor DELETE
            method = request.headers.get("X-HTTP-Method-Override", "POST")
        if method not in ("HEAD", "PATCH", "DELETE"):
            return HttpResponseNotAllowed(["HEAD", "PATCH", "DELETE"])
        upload = uploads.find_upload(request.user, key, purpose=receiver.purpose)
        if method == "HEAD":
            return _progress(upload)
        if method == "PATCH":
            return _append(request, upload, receiver)
        uploads.cancel_upload(upload)
        return HttpResponse(status=204)

    return files, file


def _speaks_tus(view: View) -> View:
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


def _check_version(request: HttpRequest) -> None:
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != TUS_VERSION:
        raise WrongVersion(f"This server speaks tus {TUS_VERSION}; name it in Tus-Resumable.")


def _abilities(receiver: Receiver) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Tus-Extension"] = TUS_EXTENSIONS
    response["Tus-Max-Size"] = receiver.largest_bytes
    return response


def _create(request: SignedInRequest, receiver: Receiver) -> HttpResponse:
    metadata = parse_metadata(request.headers.get("Upload-Metadata", ""))
    upload = receiver.announce(request, metadata, _number(request, "Upload-Length"))
    answer = None
    if request.content_type == BYTES or upload.size_bytes == 0:
        body = Body(request)
        answer = uploads.receive(upload, body, offset=0, take=receiver.take)
        if body.is_cut:  # nobody hears the address of this upload, so nobody can go on with it
            uploads.end_upload(upload)
            raise UserError("The connection broke. Send the file again.", code="cut")
    response = _received(upload, answer, status=201)
    response["Location"] = reverse(receiver.address, args=[upload.key])
    return response


def _append(request: HttpRequest, upload: Upload, receiver: Receiver) -> HttpResponse:
    if request.content_type != BYTES:
        raise WrongType(f"The bytes of a file are sent as {BYTES}.")
    offset = _number(request, "Upload-Offset")
    answer = uploads.receive(upload, Body(request), offset=offset, take=receiver.take)
    return _received(upload, answer, status=200 if answer else 204)


def _received(upload: Upload, answer: dict[str, Any] | None, *, status: int) -> HttpResponse:
    """How far the upload is now, and what became of the file when it is complete."""
    if answer:
        response: HttpResponse = JsonResponse(answer, status=status)
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
