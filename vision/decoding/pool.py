"""The door of this package: hand a file to a decoding process and check its answer."""

import math
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from vision.decoding import answers, formats, wire
from vision.decoding.children import Children
from vision.decoding.errors import UnreadableImage
from vision.decoding.results import Fit, Inspection, Limits, Rendering

# A fresh process now and then bounds what a file that took one over could do to later ones.
RECYCLE_AFTER: Final = 500
MAX_NETWORK_SIZE: Final = 2048
MAX_WEBP_SIDE: Final = 16383

Answer = TypeVar("Answer")
StrPath = str | os.PathLike[str]


class DecoderPool:
    """Up to `children` processes that decode photos; threads may share it.

    They start when they are first needed, and anew in a process that was forked.
    """

    def __init__(
        self,
        children: int,
        limits: Limits | None = None,
        *,
        recycle_after: int = RECYCLE_AFTER,
        max_wait_s: float | None = None,
    ) -> None:
        """`max_wait_s`: how long to wait for a free child before `DecoderBusy`; None: for ever."""
        self.children = children
        self.limits = limits or Limits()
        self._lent = Children(
            children, self.limits, recycle_after=recycle_after, max_wait_s=max_wait_s
        )

    def inspect(self, path: StrPath) -> Inspection:
        """Decode the whole file as proof that it is a photo, and read its metadata.

        Raises `UnreadableImage` and `DecoderUnavailable`.
        """
        format = self._sniff(path)
        request = {"do": "inspect", "path": _absolute(path), "format": format.name}
        return self._ask(request, lambda header, _: answers.inspection(header, format))

    def render(
        self, path: StrPath, *, network_size: int | None, thumbnails: Mapping[str, Fit]
    ) -> Rendering:
        """Decode the file once for everything that is shown of it.

        `network_size`: side of `Rendering.pixels`. `thumbnails`: name to long side in pixels, or
        to the (width, height) of a box. Raises `UnreadableImage` and `DecoderUnavailable`.
        """
        if network_size is not None and not 1 <= network_size <= MAX_NETWORK_SIZE:
            raise ValueError(f"network_size must be between 1 and {MAX_NETWORK_SIZE}")
        names = list(thumbnails)
        request = {
            "do": "render",
            "path": _absolute(path),
            "format": self._sniff(path).name,
            "network_size": network_size,
            "boxes": [_box(thumbnails[name]) for name in names],
        }
        return self._ask(
            request, lambda header, blobs: answers.rendering(header, blobs, network_size, names)
        )

    def render_many(
        self,
        paths: Sequence[StrPath],
        *,
        network_size: int | None,
        thumbnails: Mapping[str, Fit],
    ) -> Iterator[Rendering | UnreadableImage]:
        """`render` each path on all children at once; results come in the order of `paths`.

        A file that cannot be read yields its error instead.
        """

        def attempt(path: StrPath) -> Rendering | UnreadableImage:
            try:
                return self.render(path, network_size=network_size, thumbnails=thumbnails)
            except UnreadableImage as error:
                return error

        with ThreadPoolExecutor(self.children, thread_name_prefix="decode") as threads:
            yield from threads.map(attempt, paths)

    def pids(self) -> list[int]:
        """Process ids of the children that run."""
        return self._lent.pids()

    def close(self) -> None:
        """End the children; a thread that waits for one gets `UnreadableImage` (decoder_died)."""
        self._lent.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _sniff(self, path: StrPath) -> formats.Format:
        """Refuse what can be refused without decoding."""
        try:
            size, head = _read_head(path)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise self._unreadable("file_missing") from error
        if size > self.limits.max_bytes:
            raise self._unreadable("too_large_bytes", megabytes=_megabytes(size))
        return formats.sniff(head)

    def _ask(
        self,
        request: dict[str, Any],
        check: Callable[[dict[str, Any], list[bytes]], Answer],
    ) -> Answer:
        try:
            with self._lent.lend() as child:
                header, blobs = child.ask(request)
                refusal = answers.refusal(header)
                if refusal == "decode_memory":
                    raise MemoryError  # what is left of the heap is not for the next photo
                if refusal is None:
                    return check(header, blobs)
        except MemoryError as error:
            raise self._unreadable("decode_memory") from error
        except TimeoutError as error:
            raise self._unreadable("decode_timeout") from error
        except (EOFError, OSError, wire.ProtocolError) as error:
            raise self._unreadable("decoder_died") from error
        raise self._unreadable(refusal)

    def _unreadable(self, code: str, **facts: float | str) -> UnreadableImage:
        return UnreadableImage(
            code,
            max_megabytes=_megabytes(self.limits.max_bytes),
            max_megapixels=f"{self.limits.max_pixels / 10**6:g}",
            memory_mb=self.limits.memory_mb,
            seconds=f"{self.limits.seconds:g}",
            **facts,
        )


def _read_head(path: StrPath) -> tuple[int, bytes]:
    """Size and first bytes of a regular file; a pipe or a device would block."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        return status.st_size, file.read(formats.HEAD_BYTES)


def _absolute(path: StrPath) -> str:
    """The children have a working directory of their own."""
    return str(Path(path).absolute())


def _box(fit: Fit) -> tuple[int, int]:
    width, height = (fit, fit) if isinstance(fit, int) else fit
    if min(width, height) < 1 or max(width, height) > MAX_WEBP_SIDE:
        raise ValueError(f"the sides of a thumbnail must be between 1 and {MAX_WEBP_SIDE} pixels")
    return width, height


def _megabytes(size: int) -> str:
    """Rounded up, so that a file just over a limit does not read as if it were within."""
    return f"{math.ceil(size / 10**5) / 10:g}"
