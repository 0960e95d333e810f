"""A tus client of a few lines, so that tests can send what a browser never would."""

import base64
from typing import Any

from django.http import HttpResponse
from django.test import Client

from webapp.accounts.models import User

BYTES = "application/offset+octet-stream"


class Uploader:
    """Uploads as `user`, through the real views, middleware and decoders."""

    def __init__(self, user: User, *, to: str = "/upload/files", **client_options: Any) -> None:
        self.to = to
        self.client = Client(headers={"Tus-Resumable": "1.0.0"}, **client_options)
        self.client.force_login(user)

    def announce(
        self,
        size_bytes: object,
        *,
        name: str | bytes = "photo.jpg",
        data: bytes | None = None,
        **metadata: str | bytes,
    ) -> HttpResponse:
        said = {"filename": name, **metadata}
        headers = {
            "Upload-Length": str(size_bytes),
            "Upload-Metadata": ",".join(f"{key} {_base64(value)}" for key, value in said.items()),
        }
        return self.client.post(
            self.to,
            data=data if data is not None else b"",
            content_type=BYTES if data is not None else "text/plain",
            headers=headers,
        )

    def send(self, url: str, data: bytes, *, offset: object) -> HttpResponse:
        headers = {"Upload-Offset": str(offset)}
        return self.client.patch(url, data=data, content_type=BYTES, headers=headers)

    def upload(self, data: bytes, *, name: str | bytes = "photo.jpg") -> HttpResponse:
        """Announce and send in one request, as browsers do with ordinary photos."""
        return self.announce(len(data), name=name, data=data)

    def offset(self, url: str) -> int:
        return int(self.client.head(url)["Upload-Offset"])


def _base64(value: str | bytes) -> str:
    content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return base64.b64encode(content).decode()
