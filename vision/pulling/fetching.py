"""Fetch a file: resumed where it broke off, bounded, verified, and there whole or not at all.

Only http and https are spoken, and a connection that began encrypted stays so, whatever a
redirect says. Torch-free.
"""

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from vision.errors import PullError
from vision.pulling.catalogue import RemoteFile

logger = logging.getLogger(__name__)

# Called with (bytes that are here, bytes in all) of one file.
FileProgress = Callable[[int, int], object]

TIMEOUT_S = 30.0
CHUNK = 1 << 20
ATTEMPTS = 5  # without a byte more in between
SPARE_BYTES = 200_000_000  # left free on the disk, for the database and everything else
NETWORK_ERRORS = (URLError, HTTPException, TimeoutError, ConnectionError)


class _Broken(Exception):
    """The connection ended early; what came is kept."""


def address_of(file: RemoteFile, mirror: str = "") -> str:
    """Where a file is fetched; a `mirror` stands in for every host."""
    return f"{(mirror or file.host).rstrip('/')}/{file.path}"


def fetch(
    file: RemoteFile,
    folder: Path,
    *,
    mirror: str = "",
    sha256: str = "",
    progress: FileProgress = lambda done, total: None,
    pause: Callable[[float], object] = time.sleep,
) -> str:
    """Bring `file` into `folder`; its SHA-256.

    `sha256` is what it had when it was fetched before, if it ever was. A broken connection is taken
    up again where it broke, now or by the next call. Raises PullError with what is wrong and what
    became of the bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place, partial = folder / file.name, folder / f"{file.name}.partial"
    if place.exists():
        return _verified(file, place, sha256)
    address = address_of(file, mirror)
    _complete(file, partial, address, progress, pause)
    digest = _verified(file, partial, sha256)
    partial.rename(place)
    logger.info("fetched file=%s bytes=%d", file.name, place.stat().st_size)
    return digest


def _complete(
    file: RemoteFile,
    partial: Path,
    address: str,
    progress: FileProgress,
    pause: Callable[[float], object],
) -> None:
    """Fetch until the file is whole; give up after several attempts that brought nothing."""
    fruitless = 0
    while True:
        before = _size(partial)
        try:
            return _fetch_rest(file, partial, address, progress)
        except (_Broken, *NETWORK_ERRORS) as error:
            if isinstance(error, HTTPError) and error.code < 500:
                raise PullError(_refusal(address, error)) from None
            fruitless = 0 if _size(partial) > before else fruitless + 1
            if fruitless == ATTEMPTS or _hopeless(error):
                raise PullError(_unreachable(address, error, _size(partial))) from None
            pause(min(2.0**fruitless, 30.0))


def _fetch_rest(file: RemoteFile, partial: Path, address: str, progress: FileProgress) -> None:
    """One request for what is missing, appended to what is there."""
    start = _size(partial)
    if not file.at_most and start == file.size_bytes:
        return
    request = Request(address, headers={"User-Agent": "Marea", "Accept-Encoding": "identity"})  # noqa: S310  the opener speaks http and https only
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        answer = _opener().open(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        if error.code == 416 and start:  # nothing is left to send: whole, or not what it was
            return
        raise
    with answer:
        start = _where(answer, start)
        total = start + _length(answer, address)
        _check_size(file, total)
        _check_space(partial.parent, total - start)
        with partial.open("ab" if start else "wb") as target:
            done = start
            for chunk in _chunks(answer):
                done += len(chunk)
                _check_size(file, done, whole=False)
                target.write(chunk)
                progress(done, total)
            target.flush()
            os.fsync(target.fileno())
    if done < total:
        raise _Broken(f"it ended after {done:,} of {total:,} bytes")


def _chunks(answer: Any) -> Iterator[bytes]:
    """What comes, until it ends or breaks."""
    while True:
        try:
            chunk = answer.read1(CHUNK)
        except NETWORK_ERRORS as error:
            raise _Broken(str(error)) from error
        if not chunk:
            return
        yield chunk


def _where(answer: HTTPResponse, start: int) -> int:
    """The place at which the answer's bytes begin: `start` as asked, or 0 of the whole file."""
    if answer.status != 206:
        return 0
    sent = answer.headers.get("Content-Range", "")
    if not sent.startswith(f"bytes {start}-"):
        raise PullError(
            f"The server sent other bytes than those asked for ({sent!r} instead of from {start}). "
            "Pull again later, or from another mirror."
        )
    return start


def _length(answer: HTTPResponse, address: str) -> int:
    length = answer.headers.get("Content-Length", "")
    if not length.isdigit():
        raise PullError(f"{_host(address)} does not say how large the file is. Nothing was kept.")
    return int(length)


def _check_size(file: RemoteFile, size: int, *, whole: bool = True) -> None:
    if size > file.size_bytes or (whole and not file.at_most and size != file.size_bytes):
        raise PullError(
            f"{file.name} is of {size:,} bytes there, but must have "
            f"{'at most ' if file.at_most else ''}{file.size_bytes:,}. It was not taken."
        )


def _check_space(folder: Path, missing: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < missing + SPARE_BYTES:
        raise PullError(
            f"{missing / 1e6:,.0f} MB are still to be fetched, but the disk has only "
            f"{free / 1e6:,.0f} MB free. Make room and pull again; what came so far is kept."
        )


def _verified(file: RemoteFile, path: Path, known: str) -> str:
    """The SHA-256 of what was fetched. Raises PullError, and removes it, when it is another."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    expected = known or file.sha256
    if digest.startswith(expected) and digest.startswith(file.sha256):
        return digest
    path.unlink()
    raise PullError(
        f"{file.name} is not the file that it should be: its SHA-256 begins with {digest[:16]}, "
        f"not with {expected[:16]}. It was removed unopened. Pull again, or from another mirror."
    )


def _refusal(address: str, error: HTTPError) -> str:
    return (
        f"{_host(address)} does not give the file: it answers {error.code} ({error.reason}) to "
        f"{address}. Nothing was changed."
    )


def _unreachable(address: str, error: Exception, kept: int) -> str:
    reason = getattr(error, "reason", None) or error
    so_far = f" The {kept / 1e6:,.0f} MB that came are kept for the next time." if kept else ""
    return (
        f"{_host(address)} cannot be reached ({reason}). Pulling a model needs a network, or a "
        f"mirror named by MAREA_MODELS_URL.{so_far}"
    )


def _hopeless(error: Exception) -> bool:
    """Whether asking again at once is of no use: nobody listens, or the name is unknown."""
    reason = getattr(error, "reason", error)
    passing = (TimeoutError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
    return isinstance(reason, OSError) and not isinstance(reason, passing)


def _host(address: str) -> str:
    return urlsplit(address).hostname or address


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class _Redirects(HTTPRedirectHandler):
    """Follows to http and https only, and from https to https only."""

    max_redirections = 5

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        allowed = {"https"} if req.type == "https" else {"http", "https"}
        if urlsplit(newurl).scheme not in allowed:
            raise PullError(
                f"{req.host} redirects to {newurl[:200]!r}, which is not followed: models come "
                "over http or https only. Nothing was changed."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    """An opener without urllib's handlers of file:, ftp: and data: addresses."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener
