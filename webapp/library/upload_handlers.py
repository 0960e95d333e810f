"""How files of a multipart form are received: always on disk, never more than a photo may have."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import TemporaryFileUploadHandler

FORM_AROUND_FILE_BYTES = 64 << 10  # boundaries, headers and the form's other fields


class FileTooBig(RequestDataTooBig):
    """Answered with 413 and this message by `webapp.responses`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class PhotoUploadHandler(TemporaryFileUploadHandler):
    """Refuses by Content-Length, which the server never reads beyond, before a byte is stored."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        limit_mb = settings.MAREA_MAX_FILE_MB
        if content_length > (limit_mb << 20) + FORM_AROUND_FILE_BYTES:
            raise FileTooBig(
                f"This upload is {content_length / (1 << 20):,.0f} MB; photos may be at most "
                f"{limit_mb} MB. It was not uploaded."
            )
