"""The vision room: photos in, what is seen in them out.

This door is light. Import `vision.eye` (torch) in workers, `vision.text_encoder` (no torch) in the
web process, `vision.decoding` to turn bytes into arrays.
"""

from vision.errors import VisionError
from vision.sight import EMBED_DIM, Image, Sight

__all__ = ["EMBED_DIM", "Image", "Sight", "VisionError"]
