"""Photos of a collection, from tars or from folders."""

import io
import tarfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from vision.errors import BadData
from vision.sight import Image

TARS = (".tar", ".tar.gz", ".tgz")
RUBBISH = "__MACOSX"


def photo_name(name: str) -> str:
    """A photo as tables and archives call it alike: "./a.jpg" is "a.jpg", and an umlaut is one
    letter, whichever system packed it."""
    return unicodedata.normalize("NFC", name).removeprefix("./")


def stem_of(path: Path) -> str:
    """A source's name without what says that it is a tar."""
    return next((path.name.removesuffix(end) for end in TARS if path.name.endswith(end)), path.name)


def is_source(path: Path) -> bool:
    """Whether photos lie in it: a tar or a folder, none that is hidden."""
    return not path.name.startswith(".") and (path.name.endswith(TARS) or path.is_dir())


def read_files(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file of a tar or below a folder. Raises BadData."""
    files = _files_below(source) if source.is_dir() else _files_of_tar(source)
    for name, content in files:
        parts = name.split("/")
        if RUBBISH not in parts and not parts[-1].startswith("."):
            yield photo_name(name), content


def read_tar(path: Path) -> Iterator[tuple[str, Image]]:
    """(name, upright RGB array) of each photo in a tar. Raises BadData where one is none."""
    for name, content in read_files(path):
        image = decode_or_none(content)
        if image is None:
            raise BadData(f"{name} in {path} cannot be read as a photo. Pack the tar without it.")
        yield name, image


def decode_or_none(data: bytes) -> Image | None:
    try:
        return decode(data)
    # Decoders fail in any way on broken bytes, and each way has the same answer.
    except Exception:
        return None


def decode(data: bytes) -> Image:
    """Decode a photo of a trusted collection; untrusted ones go through vision.decoding."""
    with Pillow.open(io.BytesIO(data)) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def _files_of_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name, content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadData(f"{path} is no whole tar; it may be cut off. Pack it anew.") from error


def _files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()
