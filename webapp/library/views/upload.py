"""The upload page, and photos that come in over tus."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.http import SignedInRequest
from webapp.errors import UserError
from webapp.library.addresses import photo_url
from webapp.library.models import Upload
from webapp.library.services import uploads
from webapp.library.views import tus

MAX_KNOWN = 1_000  # hashes in one question


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


class Photos:
    """Photos on their way. The last byte is answered with `{"photo": {...}, "outcome": ...}`."""

    purpose = Upload.Purpose.PHOTO.value
    address = "library:upload_file"

    @property
    def largest_bytes(self) -> int:
        return settings.MAREA_MAX_FILE_MB << 20

    def announce(
        self, request: SignedInRequest, metadata: dict[str, str], size_bytes: int
    ) -> Upload:
        return uploads.start_upload(
            request.user,
            file_name=metadata.get("filename", ""),
            size_bytes=size_bytes,
            modified_at=_modified_at(metadata.get("lastModified", "")),
        )

    def take(self, upload: Upload) -> dict[str, Any]:
        added = uploads.add_uploaded(upload)
        return {"photo": _photo(added.photo.pk), "outcome": added.outcome.value}


upload_files, upload_file = tus.views(Photos())


def _photo(photo_id: int) -> dict[str, int | str]:
    return {"id": photo_id, "url": photo_url(photo_id)}


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
