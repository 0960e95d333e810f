"""Taking in a picture to search by, and showing it."""

from pathlib import Path

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.http import SignedInRequest
from webapp.errors import Refused
from webapp.examples.services import find_picture, take_picture, token_of


@require_POST
def take(request: SignedInRequest) -> JsonResponse:
    """The picture in the form's `file`: `{"token", "url"}`, the latter of what is like it."""
    file = request.FILES.get("file")
    if not isinstance(file, TemporaryUploadedFile):
        raise Refused("No picture came with this request. Choose one.", field="file")
    token = token_of(take_picture(request.user, Path(file.temporary_file_path())))
    url = f"{reverse('find:page')}?{urlencode({'image': token})}"
    return JsonResponse({"token": token, "url": url}, status=201)


@require_safe
def picture(request: SignedInRequest, example: str) -> HttpResponse:
    """The small copy that is kept of a picture."""
    image = find_picture(request.user, example)
    response = HttpResponse(bytes(image.picture), content_type="image/webp")
    response["Cache-Control"] = "private, max-age=3600"
    return response
