"""From untrusted bytes to upright sRGB arrays, metadata and thumbnails.

The bytes are decoded in child processes with limits. No torch, no Django.
"""

from vision.decoding.errors import DecoderBusy, DecoderUnavailable, UnreadableImage
from vision.decoding.pool import DecoderPool
from vision.decoding.results import Fit, Inspection, Limits, Rendering

__all__ = [
    "DecoderBusy",
    "DecoderPool",
    "DecoderUnavailable",
    "Fit",
    "Inspection",
    "Limits",
    "Rendering",
    "UnreadableImage",
]
