"""The program of a decoding process: `python -m vision.decoding.child LIMITS`.

It answers requests on stdin until that is closed. What bounds it: `confine` here, and the pool,
which kills it when time is up.
"""

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from vision.decoding import formats, wire
from vision.decoding.errors import Refusal
from vision.decoding.metadata import read_metadata
from vision.decoding.opening import load, open_photo, prepare_decoders
from vision.decoding.render import Rendered, Wanted, render, upright_size

# Standard streams, the photo twice (the second checks a PNG's checksums) and a few to spare.
MAX_OPEN_FILES = 16


def main(arguments: list[str]) -> None:
    max_pixels, memory_mb, seconds = (int(argument) for argument in arguments)
    requests, answers = _claim_streams()
    prepare_decoders(max_pixels)
    _silence(2)  # libtiff repeats hostile text there
    confine(memory_mb)
    _send(answers, {"ready": True})
    while True:
        try:
            request, _ = wire.unpack(lambda size: _read(requests, size))
        except EOFError:
            return
        allow_cpu_time(seconds)
        _send(answers, *answer(request, max_pixels))


def answer(request: dict[str, Any], max_pixels: int) -> tuple[dict[str, Any], list[bytes]]:
    """The header and the blobs for one request."""
    path, format = Path(request["path"]), formats.BY_NAME[request["format"]]
    try:
        with open_photo(path, format, max_pixels) as image:
            if request["do"] == "inspect":
                return _inspect(image, max_pixels), []
            wanted = Wanted(
                network_size=request["network_size"],
                boxes=[(width, height) for width, height in request["boxes"]],
            )
            return _pack_rendered(render(image, wanted, max_pixels))
    except Refusal as refusal:
        return {"refused": refusal.code, "cause": refusal.cause}, []


def _inspect(image: Any, max_pixels: int) -> dict[str, Any]:
    size = upright_size(image)
    if image.format == "JPEG":
        # Greyscale at one eighth still reads the file to its end.
        image.draft("L", (1, 1))
    load(image, max_pixels)
    return {"width": size[0], "height": size[1], **read_metadata(image)}


def _pack_rendered(rendered: Rendered) -> tuple[dict[str, Any], list[bytes]]:
    width, height = rendered.size
    blobs = [rendered.pixels, rendered.placeholder, *rendered.thumbnails]
    return {"width": width, "height": height}, blobs


def confine(memory_mb: int) -> None:
    """Limit what this process may take from now on; a limit the system lacks is left out."""
    limits = {
        resource.RLIMIT_AS: _address_space_bytes() + memory_mb * 1024**2,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: MAX_OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        with suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS, a lower limit any of them
            resource.setrlimit(kind, (limit, limit))


def _address_space_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 512 * 1024**2
    return pages * resource.getpagesize()


def allow_cpu_time(seconds: int) -> None:
    """Let one more request run; ends this process if the pool that would kill it is gone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    threads = os.cpu_count() or 1
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds * threads
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError):  # whoever started us allows less already
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _claim_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for messages: a library that prints must not spoil them."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    _silence(0, 1)
    return requests, answers


def _silence(*descriptors: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _read(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _send(stream: BinaryIO, header: dict[str, Any], blobs: list[bytes] | None = None) -> None:
    for part in wire.pack(header, blobs or ()):
        stream.write(part)
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
