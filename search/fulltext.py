"""Full text in SQL: the tags, caption and file name of each photo, in SQLite FTS5 or PostgreSQL.

Both databases get the same stems from `search.words` and so find the same photos. What users type
reaches SQL only as parameters built from stems, which are letters and digits, so nothing typed is
ever a syntax error. FTS5's `ascii` tokenizer takes every letter beyond ASCII for one, so it splits
our stems at the spaces and nowhere else. Who may see a photo, and every other condition, is the
queryset `visible`, joined in the same statement.

One table, `find_text`: for each photo its stems, indexed, and its three texts as folded words
between single spaces, where exact words are looked up literally.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from search.signals import Texts
from search.words import split, split_file_name, stem

# Between two tags, so that exact words do not match across them.
TAG_GAP = " | "
# PostgreSQL's largest position in a tsvector.
MAX_POSITION = 16_383

_CREATE = {
    "sqlite": [
        """CREATE VIRTUAL TABLE find_text USING fts5(
            stems, tags UNINDEXED, caption UNINDEXED, name UNINDEXED,
            tokenize = 'ascii')"""
    ],
    "postgresql": [
        """CREATE TABLE find_text (
            photo_id bigint PRIMARY KEY, stems tsvector NOT NULL,
            tags text NOT NULL, caption text NOT NULL, name text NOT NULL)""",
        "CREATE INDEX find_text_stems ON find_text USING gin (stems)",
    ],
}
_KEY = {"sqlite": "rowid", "postgresql": "photo_id"}
_INSERT = {
    "sqlite": "INSERT INTO find_text (rowid, stems, tags, caption, name) "
    "VALUES (%s, %s, %s, %s, %s)",
    "postgresql": "INSERT INTO find_text (photo_id, stems, tags, caption, name) "
    "VALUES (%s, %s::tsvector, %s, %s, %s)",
}
# `rank` of FTS5 is bm25, best lowest.
_MATCH = {"sqlite": "find_text MATCH %s", "postgresql": "find_text.stems @@ %s::tsquery"}
_ORDER = {
    "sqlite": "find_text.rank, find_text.rowid",
    "postgresql": "ts_rank(find_text.stems, %s::tsquery) DESC, find_text.photo_id",
}
_CONTAINS = {
    "sqlite": "instr(find_text.{}, %s) > 0",
    "postgresql": "strpos(find_text.{}, %s) > 0",
}
_QUOTE = {"sqlite": '"{}"', "postgresql": "'{}'"}
_AND = {"sqlite": " AND ", "postgresql": " & "}
_OR = {"sqlite": " OR ", "postgresql": " | "}


@dataclass(frozen=True, slots=True)
class Document:
    """What full text knows about a photo."""

    photo_id: int
    tags: Sequence[str]
    caption: str
    file_name: str


def create_table(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for statement in _CREATE[connection.vendor]:
            cursor.execute(statement)


def drop_table(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS find_text")


def upsert(connection: BaseDatabaseWrapper, documents: Iterable[Document]) -> None:
    """Index `documents`, replacing what was known about their photos."""
    rows = [_row(document, connection.vendor) for document in documents]
    delete(connection, [row[0] for row in rows])
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT[connection.vendor], rows)


def delete(connection: BaseDatabaseWrapper, photo_ids: Sequence[int]) -> None:
    """Forget these photos."""
    if photo_ids:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"DELETE FROM find_text WHERE {_KEY[connection.vendor]} = %s",  # noqa: S608  constant
                [(photo_id,) for photo_id in photo_ids],
            )


def prune(connection: BaseDatabaseWrapper, existing: QuerySet) -> int:
    """Forget photos that no longer exist; how many."""
    ids = existing.order_by().values("id").query.get_compiler(connection=connection)
    sql, parameters = ids.as_sql()
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM find_text WHERE {_KEY[connection.vendor]} NOT IN ({sql})",  # noqa: S608
            parameters,
        )
        return max(cursor.rowcount, 0)


def search(
    connection: BaseDatabaseWrapper, visible: QuerySet, words: Sequence[str], limit: int
) -> list[int]:
    """Ids of up to `limit` of the `visible` photos with any of `words` (by stem), in the
    database's order: more and rarer words first."""
    vendor = connection.vendor
    match = _OR[vendor].join(_stems(words, vendor))
    if not match:
        return []
    try:
        join, parameters = _joined(connection, visible)
    except EmptyResultSet:  # Django saw that nothing can be visible
        return []
    ranked = [match] if vendor == "postgresql" else []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT seen.id FROM find_text {join} "  # noqa: S608  constants and Django's own SQL
            f"WHERE {_MATCH[vendor]} ORDER BY {_ORDER[vendor]} LIMIT %s",
            [*parameters, match, *ranked, limit],
        )
        return [photo_id for (photo_id,) in cursor.fetchall()]


def containing(connection: BaseDatabaseWrapper, exact_words: str) -> RawSQL | None:
    """The ids of all photos in whose tags, caption or file name `exact_words` stand, one after the
    other and as they are written, for `filter(pk__in=…)`; None if there is no word in them."""
    words = split(exact_words)
    if not words:
        return None
    vendor = connection.vendor
    literal = f" {' '.join(words)} "
    contains = " OR ".join(_CONTAINS[vendor].format(field) for field in ("tags", "caption", "name"))
    return RawSQL(  # noqa: S611  constants; what is typed goes as parameters
        f"SELECT {_KEY[vendor]} FROM find_text WHERE {_MATCH[vendor]} AND ({contains})",  # noqa: S608
        [_AND[vendor].join(_stems(words, vendor)), literal, literal, literal],
    )


def read(connection: BaseDatabaseWrapper, photo_ids: Sequence[int]) -> list[Texts]:
    """The indexed texts of these photos, in no particular order."""
    if not photo_ids:
        return []
    key = _KEY[connection.vendor]
    places = ", ".join(["%s"] * len(photo_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, tags, caption, name FROM find_text WHERE {key} IN ({places})",  # noqa: S608
            list(photo_ids),
        )
        return [_texts(*row) for row in cursor.fetchall()]


def _joined(connection: BaseDatabaseWrapper, visible: QuerySet) -> tuple[str, list[Any]]:
    """SQL of the join that leaves the `visible` photos, and its parameters. A join, not IN: the
    database then looks up each match instead of listing the whole library first."""
    compiler = visible.order_by().values("id").query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    return f"JOIN ({sql}) AS seen ON seen.id = find_text.{_KEY[connection.vendor]}", [*parameters]


def _stems(words: Sequence[str], vendor: str) -> list[str]:
    """The distinct stems of what is a word in `words`, quoted for the database's query syntax."""
    stems = {stem(part): None for word in words for part in split(word)}
    return [_QUOTE[vendor].format(each) for each in stems]


def _row(document: Document, vendor: str) -> tuple[int, str, str, str, str]:
    tags = [split(tag) for tag in document.tags]
    caption, name = split(document.caption), split_file_name(document.file_name)
    stems = [stem(word) for words in (*tags, caption, name) for word in words]
    return (
        document.photo_id,
        " ".join(stems) if vendor == "sqlite" else _tsvector(stems),
        f" {TAG_GAP.join(' '.join(tag) for tag in tags)} ",
        f" {' '.join(caption)} ",
        f" {' '.join(name)} ",
    )


def _tsvector(stems: Sequence[str]) -> str:
    """A tsvector literal: each stem with its positions, so that ranking can count them."""
    places = enumerate(stems[:MAX_POSITION], start=1)
    return " ".join(f"'{each}':{position}" for position, each in places)


def _texts(photo_id: int, tags: str, caption: str, name: str) -> Texts:
    return Texts(
        photo_id,
        tuple(tuple(tag.split()) for tag in tags.split(TAG_GAP) if tag.strip()),
        tuple(caption.split()),
        tuple(name.split()),
    )
