"""Download of many originals as one ZIP."""

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from webapp.accounts.http import SignedInRequest
from webapp.errors import NotFound
from webapp.library.forms import photo_ids
from webapp.library.services.reading import chosen
from webapp.library.services.zipping import zip_photos


@require_POST
def zip_download(request: SignedInRequest) -> StreamingHttpResponse:
    ids = photo_ids(request.POST, limit=min(settings.MAREA_MAX_ZIP_PHOTOS, 30_000))
    photos = list(chosen(request.user, ids).newest_first())
    if not photos:
        raise NotFound("None of these photos is there any more. Nothing was downloaded.")
    archive = zip_photos(photos)
    response = StreamingHttpResponse(iter(archive), content_type="application/zip")
    name = f"marea-{timezone.localdate():%Y-%m-%d}-{len(photos)}-photos.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Length"] = str(len(archive))
    return response
