"""How files of a multipart form are received: always on disk, never more than they may have."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import TemporaryFileUploadHandler

FORM_AROUND_FILE_BYTES = 64 << 10  # boundaries, headers and the form's other fields


class FileTooBig(RequestDataTooBig):
    """Answered with 413 and this message by `webapp.responses`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Refuses by Content-Length, which the server never reads beyond, before a byte is stored."""

    setting: ClassVar[str]  # names the limit in MB
    too_big: ClassVar[str]  # with {mb} that came and {most} that may

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        most = getattr(settings, self.setting)
        if content_length > (most << 20) + FORM_AROUND_FILE_BYTES:
            raise FileTooBig(self.too_big.format(mb=content_length / (1 << 20), most=most))


class PhotoUploadHandler(LimitedUploadHandler):
    """Of every form, unless a view says otherwise."""

    setting = "MAREA_MAX_FILE_MB"
    too_big = "This upload is {mb:,.0f} MB; photos may be at most {most} MB. It was not uploaded."
