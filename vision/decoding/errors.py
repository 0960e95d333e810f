"""What can be wrong with a file, in words for the person who sent it.

Exception
├── UnreadableImage     this one file cannot become a photo; the message says why
├── Refusal             the same inside a decoding process: only a code
└── DecoderUnavailable  no decoding process can be had; no file is to blame
    └── DecoderBusy     all of them are at work and stayed so
"""

from collections.abc import Mapping
from typing import Final

# The decoding process is not trusted, so it only sends a code; the words are put together here,
# on the side that shows them.
MESSAGES: Final[Mapping[str, str]] = {
    "empty": "The file is empty (0 bytes).",
    "file_missing": "The file could not be opened for reading.",
    "too_large_bytes": "The file is {megabytes} MB; photos may be at most {max_megabytes} MB.",
    "too_large_pixels": (
        "The picture has more than {max_megapixels} megapixels, which is the most that a photo "
        "may have. Please add a smaller copy."
    ),
    "not_an_image": "The file is not a photo: its contents match no picture format.",
    "unsupported_format": (
        "The file is {kind}, which cannot be added; please use JPEG, PNG, WebP, GIF, AVIF, HEIC, "
        "TIFF or BMP."
    ),
    "camera_raw": (
        "The file is a camera's raw data, which cannot be developed here; please export it as JPEG."
    ),
    "truncated": "The file is cut off: a part of the picture is missing. Please copy it again.",
    "damaged": (
        "The file is damaged or incomplete: its picture cannot be decoded. Please copy it again."
    ),
    "decode_timeout": (
        "The picture took longer than {seconds} seconds to decode and was given up. Please try "
        "again, or add a smaller copy."
    ),
    "decode_memory": (
        "The picture needs more than {memory_mb} MB of memory to decode. Please add a smaller copy."
    ),
    "decoder_died": "The decoder stopped while it read this picture. Please try again.",
}

# May end differently on another try: the machine was busy, or its memory was short.
TRANSIENT: Final = frozenset({"file_missing", "decode_timeout", "decoder_died"})


class UnreadableImage(Exception):
    """A file that cannot become a photo.

    `code` is a key of `MESSAGES`; `message` is a full sentence for the user, without the file name.
    """

    def __init__(self, code: str, **facts: float | str) -> None:
        self.code = code
        self.message = MESSAGES[code].format(**facts)
        super().__init__(self.message)

    @property
    def transient(self) -> bool:
        """Whether the same bytes may be readable on another try."""
        return self.code in TRANSIENT


class Refusal(Exception):
    """What a decoding process answers instead of a photo.

    `code` is a key of `MESSAGES`; `cause`, for the log, says what was raised where.
    """

    def __init__(self, code: str, cause: str = "") -> None:
        self.code = code
        self.cause = cause
        super().__init__(code)


class DecoderUnavailable(RuntimeError):
    """A decoding process does not start: the installation is broken or the machine is full."""


class DecoderBusy(DecoderUnavailable):
    """Every decoding process has been busy for as long as the caller would wait."""
