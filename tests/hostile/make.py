"""All hostile files; `python -m tests.hostile.make FOLDER` writes them there."""

import sys
from functools import cache
from pathlib import Path

from tests.hostile.absurd_exif import absurd_exif
from tests.hostile.bombs import bombs
from tests.hostile.cut import cut_files
from tests.hostile.not_photos import not_photos
from tests.hostile.odd import odd_files
from tests.hostile.sample import HostileFile


@cache
def hostile_files() -> tuple[HostileFile, ...]:
    """The same files for the same versions of the libraries: nothing is random."""
    return (*not_photos(), *cut_files(), *bombs(), *odd_files(), *absurd_exif())


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in hostile_files():
        (folder / file.name).write_bytes(file.data)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
