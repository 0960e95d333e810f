"""File names as people sent them, made safe to store, show and offer for download."""

from typing import TYPE_CHECKING

from webapp.texts import one_line

if TYPE_CHECKING:
    from webapp.library.models import Photo

MAX_LENGTH = 255

# Endings that a file of this type may keep; the first is given to those with another one.
ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "image/avif": (".avif",),
    "image/heic": (".heic", ".heif", ".hif"),
    "image/tiff": (".tif", ".tiff"),
    "image/bmp": (".bmp", ".dib"),
}
# How programs begin the names of what they take off a screen.
SCREENSHOT_NAMES = ("screenshot", "screen shot", "bildschirmfoto")

FOLDERS = 2  # of a path: an outer one is where somebody keeps photos and says nothing of them
MAX_FOLDER_LENGTH = 200


def tidy_file_name(name: str) -> str:
    """The last part of a path, without control and direction-changing characters, at most 255 long.

    The name is only ever shown and searched; originals are stored under their hash. What cannot
    be kept (lone surrogates, NUL) is replaced, and the ending survives a cut.
    """
    name = name.encode("utf-8", "replace").decode("utf-8", "replace")
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    tidy = one_line(last)
    if tidy.strip(". ") == "":
        return "photo"
    return _cut(tidy)


def tidy_path(name: str) -> str:
    """The name as of `tidy_file_name`, after those of the last folders before it, as far as there
    are any: `Travels/Italy 2019/IMG_1.jpg`. At most 255 characters."""
    folder, last = folder_of(name), tidy_file_name(name)
    return f"{folder}/{last}" if folder and len(folder) + len(last) < MAX_LENGTH else last


def folder_of(name: str) -> str:
    """The names of the last folders in a path, tidied, with slashes between; empty without any."""
    name = name.encode("utf-8", "replace").decode("utf-8", "replace")
    parts = [one_line(part) for part in name.replace("\\", "/").split("/")[:-1]]
    named = [part for part in parts if part.strip(". ") and not part.endswith(":")]  # no drives
    return "/".join(named[-FOLDERS:])[:MAX_FOLDER_LENGTH]


def _cut(name: str) -> str:
    if len(name) <= MAX_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:MAX_LENGTH]
    return f"{stem[: MAX_LENGTH - len(ending) - 2]}….{ending}"[:MAX_LENGTH]


def download_name(photo: "Photo") -> str:
    """The photo's name with an ending that fits what the file is, whatever it was called.

    A JPEG uploaded as `page.html` must not become a web page on somebody's disk.
    """
    endings = ENDINGS.get(photo.media_type, (".bin",))
    if photo.file_name.lower().endswith(endings):
        return photo.file_name
    return f"{photo.file_name[: MAX_LENGTH - 10]}{endings[0]}"
