"""Tables of a collection: CSV with a header line, in UTF-8, gzipped or not."""

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

from vision.collection.photos import photo_name
from vision.errors import BadData

Row = dict[str, str]

GZIP = b"\x1f\x8b"
LONGEST_FIELD = 10_000_000  # characters; a quote that is never closed swallows the rest


def find_table(folder: Path, name: str) -> Path | None:
    """`<name>.csv.gz` or `<name>.csv`, if one is there."""
    paths = (folder / f"{name}{ending}" for ending in (".csv.gz", ".csv"))
    return next((path for path in paths if path.is_file()), None)


def read_table(path: Path, *, needs: Sequence[str] = ("file",)) -> list[Row]:
    """All rows, each photo by its `photo_name`. Raises BadData where the table is not whole or
    lacks a column that it `needs`."""
    lines = csv.reader(io.StringIO(_text(path), newline=""))
    csv.field_size_limit(LONGEST_FIELD)
    try:
        header = next(lines, list(needs))  # nothing at all is a table without rows
        _check_header(path, header, needs)
        rows = [_row(path, header, lines.line_num, fields) for fields in lines if fields]
    except csv.Error as error:
        raise BadData(f"{path}, line {lines.line_num}, is no CSV: {error}.") from error
    return [row | {"file": photo_name(row["file"])} for row in rows]


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if data.startswith(GZIP) else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadData(f"{path} is not in UTF-8 (line {line}); save it as UTF-8.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise BadData(f"{path} cannot be read; it may be cut off: {error}.") from error


def _check_header(path: Path, header: Sequence[str], needs: Sequence[str]) -> None:
    if lacking := [name for name in needs if name not in header]:
        raise BadData(
            f"{path} has no column {' and no column '.join(lacking)}; "
            f"its first line names {', '.join(header) or 'nothing'}."
        )


def _row(path: Path, header: Sequence[str], line: int, fields: Sequence[str]) -> Row:
    if len(fields) != len(header):
        raise BadData(
            f"{path}, line {line}, has {len(fields)} fields where the first line names "
            f"{len(header)}; a text with commas or line breaks belongs in quotes."
        )
    return dict(zip(header, fields, strict=True))
