"""A photo's texts: as they come, as the full-text table holds them, as signals compare them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from search.words import Word, split, split_file_name, stem

# Between two names, so that exact words do not match across them.
GAP = " | "
BREAK = "\n"  # in no column
# Of the text read in one photo, which may be a page of a book.
MAX_READ_WORDS = 1_000


@dataclass(frozen=True, slots=True)
class Document:
    """What full text knows about a photo."""

    photo_id: int
    tags: Sequence[str]
    caption: str
    file_name: str
    read: str = ""  # text read in the photo, a line each
    place: Sequence[str] = ()  # where it was taken: town, region, country
    albums: Sequence[str] = ()  # their names
    folder: str = ""  # the names of the folders that it came in, with slashes between


@dataclass(frozen=True, slots=True)
class Texts:
    """A photo's texts as folded words: see `search.words`.

    `read` is one text with single spaces: whoever reads all texts of many photos, a page of a book
    perhaps in each, has no use for its words. `shown` has read lines, place, albums and folders as
    people wrote them: see `originals`.
    """

    photo_id: int
    tags: tuple[tuple[str, ...], ...] = ()
    caption: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    read: str = ""
    place: tuple[tuple[str, ...], ...] = ()
    albums: tuple[tuple[str, ...], ...] = ()
    shown: str = ""

    def has_as_tags(self, words: Sequence[Word]) -> bool:
        """Whether all of `words` (by stem) stand in its tags and the words that these imply."""
        stems = {stem(word) for tag in self.tags for word in tag}
        return all(word.stem in stems for word in words)


@dataclass(frozen=True, slots=True)
class Row:
    """A document as the table holds it: `texts` as `COLUMNS`, folded words between spaces."""

    photo_id: int
    stems: Sequence[str]
    texts: Sequence[str]
    shown: str


# The texts in which exact words are looked up, in the order of `Row.texts`.
COLUMNS = ("tags", "caption", "name", "read", "place", "albums")


def row_of(document: Document) -> Row:
    fields = [
        [split(tag) for tag in document.tags],
        [split(document.caption)],
        [[*split_file_name(document.file_name), *split(document.folder)]],
        [split(document.read)[:MAX_READ_WORDS]],
        [split(name) for name in document.place],
        [split(name) for name in document.albums],
    ]
    return Row(
        document.photo_id,
        [stem(word) for names in fields for words in names for word in words],
        [f" {GAP.join(' '.join(words) for words in names)} " for names in fields],
        _shown(document),
    )


def texts_of(photo_id: int, columns: Sequence[str], shown: str) -> Texts:
    """The opposite of `row_of`, as far as signals need it."""
    tags, caption, name, read, place, albums = columns
    return Texts(
        photo_id,
        tuple(words for words in _names(tags) if words),
        tuple(caption.split()),
        tuple(name.split()),
        read.strip(),
        _names(place),
        _names(albums),
        shown,
    )


def texts_having(words: Sequence[Word], rows: Iterable[tuple[int, str, str]]) -> Iterator[Texts]:
    """Of `rows` (id, `COLUMNS` with breaks between, shown) the photos with any of `words` (by
    stem), and of their tags, caption, name and read text nothing but these words. Places and albums
    come whole: which are meant depends on all of their words.

    Most texts are never taken apart, which for a page of results would take longer than everything
    else: a stem begins as its word does, but for its last letters, so what begins otherwise is left
    out by one pattern.
    """
    stems = {word.stem for word in words}
    begins = "|".join(sorted({each[: max(len(each) - 2, 1)] for each in stems}))  # letters, digits
    # Words that begin so, and between them an empty one for each break between two columns.
    words_and_breaks = re.compile(f"{BREAK}| ((?:{begins})[^ {BREAK}]*)").findall
    for photo_id, joined, shown in rows:
        found = words_and_breaks(joined)
        if len(found) < len(COLUMNS):  # nothing but breaks
            continue
        said: list[list[str]] = [[]]
        for word in found:
            if not word:
                said.append([])
            elif stem(word) in stems:
                said[-1].append(word)
        if any(said):
            yield _texts_saying(said, photo_id, joined.split(BREAK), shown)


def _texts_saying(
    said: Sequence[Sequence[str]], photo_id: int, columns: Sequence[str], shown: str
) -> Texts:
    tags, caption, name, read, place, albums = said
    return Texts(
        photo_id,
        tags=tuple((word,) for word in tags),
        caption=tuple(caption),
        name=tuple(name),
        read=" ".join(read),
        place=_names(columns[4]) if place else (),
        albums=_names(columns[5]) if albums else (),
        shown=shown,
    )


def originals(texts: Texts, field: str) -> list[str]:
    """Of `read`, `place`, `albums` or `folders`: its lines or names as people wrote them."""
    written: list[str] = json.loads(texts.shown).get(field, []) if texts.shown else []
    return written


def _names(column: str) -> tuple[tuple[str, ...], ...]:
    """One tuple of words for each name, also where none is left of it; they keep their places."""
    return tuple(tuple(name.split()) for name in column.split(GAP)) if column.strip() else ()


def _shown(document: Document) -> str:
    lines = [line.strip() for line in document.read.splitlines()]
    written = {
        "read": [line for line in lines if line],
        "place": list(document.place),
        "albums": list(document.albums),
        "folders": [name for name in document.folder.split("/") if name],
    }
    kept = {field: texts for field, texts in written.items() if texts}
    return json.dumps(kept) if kept else ""
