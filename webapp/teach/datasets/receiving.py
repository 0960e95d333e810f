"""How a ZIP of photos comes in: streamed to disk, up to a limit of its own."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from webapp.library.upload_handlers import FORM_AROUND_FILE_BYTES, FileTooBig


class ZipUploadHandler(TemporaryFileUploadHandler):
    """Refuses by Content-Length, which the server never reads beyond, before a byte is stored."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        limit_mb = settings.MAREA_MAX_DATASET_MB
        if content_length > (limit_mb << 20) + FORM_AROUND_FILE_BYTES:
            raise FileTooBig(
                f"This ZIP is {content_length / (1 << 20):,.0f} MB; it may have at most "
                f"{limit_mb:,} MB (MAREA_MAX_DATASET_MB). It was not uploaded."
            )
