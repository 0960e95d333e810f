"""Any picture to 8-bit sRGB on a white ground. Runs in the child."""

import io
from typing import Final, cast

from PIL import Image, ImageCms

_SRGB: Final = ImageCms.createProfile("sRGB")
# What a profile must be about to be used.
_SPACE_OF_MODE: Final = {"L": "GRAY", "RGB": "RGB ", "RGBA": "RGB ", "CMYK": "CMYK"}
# Seen from 600 profiles with flipped bytes; such a profile is ignored, like one for another space.
_BAD_PROFILE: Final = (ImageCms.PyCMSError, OSError, ValueError)
_PREMULTIPLIED: Final = {"La": "LA", "RGBa": "RGBA"}


def to_eight_bits(image: Image.Image) -> Image.Image:
    """As a mode that can be scaled and colour-managed: L, LA, RGB, RGBA, CMYK or LAB."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 257).convert("L")
    if image.mode in ("I", "F"):
        return _stretch(image)
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in _PREMULTIPLIED:
        return image.convert(_PREMULTIPLIED[image.mode])
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in (*_SPACE_OF_MODE, "LA", "LAB") else image.convert("RGB")


def _stretch(image: Image.Image) -> Image.Image:
    """Scientific TIFFs have no agreed white; their lightest pixel is as good as any."""
    low, high = cast(tuple[float, float], image.getextrema())
    scale = 255 / (high - low) if high > low else 0
    return image.point(lambda value: value * scale - low * scale).convert("L")


def to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Convert an image that went through `to_eight_bits` to RGB, by its profile if sane."""
    if image.mode == "LAB":
        return _transform(image, ImageCms.createProfile("LAB"), "RGB") or image.convert("L")
    profile = _parse(icc_profile, _SPACE_OF_MODE.get(image.mode)) if icc_profile else None
    if profile:
        image = _transform(image, profile, "RGBA" if image.mode == "RGBA" else "RGB") or image
    return flatten(image)


def flatten(image: Image.Image) -> Image.Image:
    """Lay a transparent image on white, as RGB."""
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def _parse(icc_profile: bytes, space: str | None) -> ImageCms.ImageCmsProfile | None:
    """None unless it is a profile of the colour space that says something else than sRGB."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        name = profile.profile.profile_description or ""
        # Nothing to convert in sRGB, which saves 30 ms for a 1600 px thumbnail.
        useful = profile.profile.xcolor_space == space and not name.startswith("sRGB")
    except _BAD_PROFILE:
        return None
    return profile if useful else None


def _transform(
    image: Image.Image, profile: ImageCms.ImageCmsProfile | ImageCms.core.CmsProfile, mode: str
) -> Image.Image | None:
    try:
        return ImageCms.profileToProfile(image, profile, _SRGB, outputMode=mode)
    except _BAD_PROFILE:
        return None
