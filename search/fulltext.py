"""Full text in SQL: SQLite's FTS5 or PostgreSQL's tsvector. The one module here that knows Django.

One row for each photo: its tags, its caption and the words of its file name. Words are stemmed
(Porter's algorithm in both databases), so "dogs" finds "dog". Whatever a person types is turned
into quoted words before it comes near either query syntax.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

TABLE = "find_text"
MAX_WORDS = 32  # of one query; more would only make it slower
_WORD = re.compile(r"[^\W_]+")
# Where one word of a file name ends and the next begins: "BeachDay2019" is three words.
_SEAM = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@dataclass(frozen=True)
class Document:
    """What full text knows about one photo."""

    photo_id: int
    tags: str
    caption: str
    file_name: str


@dataclass(frozen=True)
class Match:
    """One photo that has the words. `score` is higher for better matches; its scale is the
    database's own."""

    photo_id: int
    score: float
    tags: str
    caption: str
    file_name: str


def words_of(text: str) -> list[str]:
    """The words of a text, lower case, without punctuation, at most `MAX_WORDS`."""
    plain = unicodedata.normalize("NFKC", text[:10_000]).lower()
    return _WORD.findall(plain)[:MAX_WORDS]


def words_of_file_name(name: str) -> str:
    """ "IMG_2031 Beach-Day.jpg" → "img 2031 beach day"."""
    stem = name.rpartition(".")[0] or name
    return " ".join(_WORD.findall(_SEAM.sub(" ", unicodedata.normalize("NFKC", stem)))).lower()


def create_table(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE TABLE {TABLE} (photo_id bigint PRIMARY KEY, tags text NOT NULL,"
                " caption text NOT NULL, file_name text NOT NULL, document tsvector"
                " GENERATED ALWAYS AS ("
                "setweight(to_tsvector('english', tags), 'A') ||"
                " setweight(to_tsvector('english', caption), 'B') ||"
                " setweight(to_tsvector('english', file_name), 'C')) STORED)"
            )
            cursor.execute(f"CREATE INDEX {TABLE}_document ON {TABLE} USING gin (document)")
        else:
            cursor.execute(
                f"CREATE VIRTUAL TABLE {TABLE} USING fts5(tags, caption, file_name,"
                " tokenize = 'porter unicode61 remove_diacritics 2')"
            )


def drop_table(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")


def upsert(connection: BaseDatabaseWrapper, documents: Iterable[Document]) -> None:
    """Write the rows of these photos anew."""
    rows = [(d.photo_id, d.tags, d.caption, words_of_file_name(d.file_name)) for d in documents]
    delete(connection, [row[0] for row in rows])
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {TABLE} ({_key(connection)}, tags, caption, file_name)"  # noqa: S608
            " VALUES (%s, %s, %s, %s)",
            rows,
        )


def delete(connection: BaseDatabaseWrapper, photo_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            f"DELETE FROM {TABLE} WHERE {_key(connection)} = %s",  # noqa: S608
            [(photo_id,) for photo_id in photo_ids],
        )


def search(
    connection: BaseDatabaseWrapper, visible: QuerySet, words: Sequence[str], limit: int
) -> list[Match]:
    """Photos of `visible` that have any of `words`, best first; none for no words."""
    if not words:
        return []
    ids_sql, ids_params = visible.order_by().values("pk").query.sql_with_params()
    key = _key(connection)
    if connection.vendor == "postgresql":
        query = " | ".join(f"'{word}'" for word in words)
        sql = (
            f"SELECT photo_id, ts_rank(document, q), tags, caption, file_name"  # noqa: S608
            f" FROM {TABLE}, to_tsquery('english', %s) q"
            f" WHERE document @@ q AND {key} IN ({ids_sql}) ORDER BY 2 DESC, 1 DESC LIMIT %s"
        )
    else:
        query = " OR ".join(f'"{word}"' for word in words)
        sql = (
            f"SELECT rowid, -bm25({TABLE}, 4.0, 2.0, 1.0), tags, caption, file_name"  # noqa: S608
            f" FROM {TABLE} WHERE {TABLE} MATCH %s AND {key} IN ({ids_sql})"
            f" ORDER BY 2 DESC, 1 DESC LIMIT %s"
        )
    with connection.cursor() as cursor:
        cursor.execute(sql, [query, *ids_params, limit])
        return [Match(*row) for row in cursor.fetchall()]


def _key(connection: BaseDatabaseWrapper) -> str:
    return "photo_id" if connection.vendor == "postgresql" else "rowid"
