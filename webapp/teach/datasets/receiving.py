"""How a ZIP of photos comes in: from a form, or in pieces over tus, up to a limit of its own."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from webapp.accounts.http import SignedInRequest
from webapp.errors import TooLarge
from webapp.library.file_names import tidy_file_name
from webapp.library.models import Upload
from webapp.library.services import uploads
from webapp.library.upload_handlers import LimitedUploadHandler
from webapp.teach.datasets import asking
from webapp.teach.datasets.registering import tidy_title

PAGE = "admin:teach_dataset_page"
TOO_BIG = (
    "This ZIP is {mb:,.0f} MB; it may have at most {most:,} MB (MAREA_MAX_DATASET_MB). It was not "
    "uploaded."
)


class ZipUploadHandler(LimitedUploadHandler):
    setting = "MAREA_MAX_DATASET_MB"
    too_big = TOO_BIG


class Zips:
    """ZIPs on their way. The last byte is answered with the page of the data set, `{"url": …}`."""

    purpose = Upload.Purpose.DATA_SET.value
    address = "admin:teach_dataset_piece"

    @property
    def largest_bytes(self) -> int:
        return settings.MAREA_MAX_DATASET_MB << 20

    def announce(
        self, request: SignedInRequest, metadata: dict[str, str], size_bytes: int
    ) -> Upload:
        """Raises `Refused` for an unusable title, `TooLarge`."""

        def check() -> None:
            if size_bytes > self.largest_bytes:
                most = settings.MAREA_MAX_DATASET_MB
                raise TooLarge(TOO_BIG.format(mb=size_bytes / (1 << 20), most=most))

        return uploads.announce(
            Upload(
                purpose=self.purpose,
                owner=request.user,
                title=tidy_title(metadata.get("title", "")),
                file_name=tidy_file_name(metadata.get("filename", "")),
                size_bytes=size_bytes,
            ),
            check,
        )

    def take(self, upload: Upload) -> dict[str, Any]:
        data_set = asking.ask_to_read_zip(
            upload.owner, upload.title, upload.file_name, uploads.path_of(upload)
        )
        return {"url": reverse(PAGE, args=[data_set.pk])}
