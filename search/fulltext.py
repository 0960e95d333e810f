"""Full text in SQL: what is written about each photo, in SQLite FTS5 or PostgreSQL.

Both databases get the same stems from `search.words` and so find the same photos. What users type
reaches SQL only as parameters built from stems, which are letters and digits, so nothing typed is
ever a syntax error. FTS5's `ascii` tokenizer takes every letter beyond ASCII for one, so it splits
our stems at the spaces and nowhere else. Who may see a photo, and every other condition, is the
queryset `visible`, joined in the same statement.

One table for each model version, `find_text` or of a name that begins so: for each photo its stems,
indexed, and its texts as folded words between single spaces, where exact words are looked up
literally; see `search.texts`. What one version wrote so never weighs in what another finds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from search.texts import BREAK, COLUMNS, Document, Texts, row_of, texts_having, texts_of
from search.words import Word, split, stem

__all__ = ["Document", "Texts"]

TABLE = "find_text"  # the first; there may be others beside it

# PostgreSQL's largest position in a tsvector.
MAX_POSITION = 16_383

# Words of a query that are looked up one by one, and of how many photos of each at least and at
# most: of a rare word these are all, and a common one of several says too little for a photo that
# looks otherwise.
MOST_ALONE, FEWEST_OF_EACH, MOST_OF_EACH = 16, 20, 50

_CREATE = {
    "sqlite": [
        f"""CREATE VIRTUAL TABLE {{table}} USING fts5(
            stems, {", ".join(f"{column} UNINDEXED" for column in (*COLUMNS, "shown"))},
            tokenize = 'ascii')"""
    ],
    "postgresql": [
        f"""CREATE TABLE {{table}} (
            photo_id bigint PRIMARY KEY, stems tsvector NOT NULL,
            {", ".join(f"{column} text NOT NULL DEFAULT ''" for column in (*COLUMNS, "shown"))})""",
        "CREATE INDEX {table}_stems ON {table} USING gin (stems)",
    ],
}
# Columns of the table's first form; what `widen_table` adds came later.
_FIRST = ("tags", "caption", "name")
_KEY = {"sqlite": "rowid", "postgresql": "photo_id"}
_STEMS = {"sqlite": "%s", "postgresql": "%s::tsvector"}
_MATCH = {"sqlite": "{table} MATCH %s", "postgresql": "{table}.stems @@ %s::tsquery"}
# In this order FTS5 reads matches, so that it stops when there are enough.
_NEWEST = {"sqlite": "{table}.rowid DESC", "postgresql": "{table}.photo_id DESC"}
_CONTAINS = {
    "sqlite": "instr({table}.{column}, %s) > 0",
    "postgresql": "strpos({table}.{column}, %s) > 0",
}
_LISTED = {
    "sqlite": "SELECT value FROM json_each(%s)",
    "postgresql": "SELECT unnest(%s::bigint[])",
}
_QUOTE = {"sqlite": '"{}"', "postgresql": "'{}'"}
_AND = {"sqlite": " AND ", "postgresql": " & "}
_OR = {"sqlite": " OR ", "postgresql": " | "}


def create_table(connection: BaseDatabaseWrapper, table: str = TABLE) -> None:
    with connection.cursor() as cursor:
        for statement in _create(connection.vendor, table):
            cursor.execute(statement)


def _create(vendor: str, table: str) -> list[str]:
    return [statement.format(table=_checked(table)) for statement in _CREATE[vendor]]


def _checked(table: str) -> str:
    """A name of a table that is ours and needs no quotes. Raises ValueError for any other."""
    if not re.fullmatch(rf"{TABLE}(_\d+)?", table):
        raise ValueError(f"{table!r} is no full-text table.")
    return table


def widen_table(connection: BaseDatabaseWrapper) -> None:
    """Give a table of the first form the columns that came later. Every row stays and is found as
    before; what belongs into the new columns comes with the next `upsert` of its photo."""
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, "find_text")
        lacking = [c for c in (*COLUMNS, "shown") if c not in {column.name for column in described}]
        if not lacking:
            return
        for statement in _widening(connection.vendor, lacking):
            cursor.execute(statement)


def _widening(vendor: str, lacking: Sequence[str]) -> list[str]:
    if vendor == "postgresql":
        added = ", ".join(f"ADD COLUMN {column} text NOT NULL DEFAULT ''" for column in lacking)
        return [f"ALTER TABLE find_text {added}"]
    # FTS5 adds no columns: the rows move into a table that has them.
    kept = ", ".join(("rowid", "stems", *_FIRST))
    empty = ", ".join(["''"] * len(lacking))
    return [
        "ALTER TABLE find_text RENAME TO find_text_first",
        *_create(vendor, TABLE),
        f"INSERT INTO find_text ({kept}, {', '.join(lacking)}) "  # noqa: S608  constants
        f"SELECT {kept}, {empty} FROM find_text_first",
        "DROP TABLE find_text_first",
    ]


def drop_table(connection: BaseDatabaseWrapper, table: str = TABLE) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_checked(table)}")


def upsert(
    connection: BaseDatabaseWrapper, documents: Iterable[Document], *, table: str = TABLE
) -> None:
    """Index `documents`, replacing what was known about their photos."""
    vendor = connection.vendor
    rows = [row_of(document) for document in documents]
    delete(connection, [row.photo_id for row in rows], table=table)
    if rows:
        columns = ", ".join((_KEY[vendor], "stems", *COLUMNS, "shown"))
        places = ", ".join(["%s", _STEMS[vendor], *["%s"] * (len(COLUMNS) + 1)])
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {_checked(table)} ({columns}) VALUES ({places})",  # noqa: S608  constants
                [(r.photo_id, _as_stored(r.stems, vendor), *r.texts, r.shown) for r in rows],
            )


def delete(
    connection: BaseDatabaseWrapper, photo_ids: Sequence[int], *, table: str = TABLE
) -> None:
    """Forget these photos."""
    if photo_ids:
        key = _KEY[connection.vendor]
        with connection.cursor() as cursor:
            cursor.executemany(
                f"DELETE FROM {_checked(table)} WHERE {key} = %s",  # noqa: S608  constants
                [(photo_id,) for photo_id in photo_ids],
            )


def prune(connection: BaseDatabaseWrapper, existing: QuerySet, *, table: str = TABLE) -> int:
    """Forget photos that no longer exist; how many."""
    ids = existing.order_by().values("id").query.get_compiler(connection=connection)
    sql, parameters = ids.as_sql()
    key = _KEY[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {_checked(table)} WHERE {key} NOT IN ({sql})",  # noqa: S608  constants
            parameters,
        )
        return max(cursor.rowcount, 0)


def known(connection: BaseDatabaseWrapper, *, table: str = TABLE) -> RawSQL:
    """The ids of all photos of which something is known, for `exclude(pk__in=…)`."""
    return RawSQL(  # noqa: S611  constants
        f"SELECT {_KEY[connection.vendor]} FROM {_checked(table)}",  # noqa: S608  constants
        [],
    )


def search(
    connection: BaseDatabaseWrapper,
    visible: QuerySet,
    words: Sequence[str],
    limit: int,
    *,
    table: str = TABLE,
) -> list[int]:
    """Ids of up to `limit` of the `visible` photos with any of `words` (by stem), those with all of
    them first, then some with each, always the newest first.

    Nothing is scored, which would take the database to every photo with a common word: with two of
    them among 100,000 photos bm25 takes 24 ms, this 0.6.
    """
    stems = _stems(words, connection.vendor)
    if not stems:
        return []
    try:
        join, parameters = _joined(connection, visible, table)
    except EmptyResultSet:  # Django saw that nothing can be visible
        return []
    asked = _asked(stems, connection.vendor, limit)
    newest = _NEWEST[connection.vendor].format(table=table)
    part = (
        f"SELECT %s AS turn, seen.id FROM {table} {join} "  # noqa: S608  constants, Django's own SQL
        f"WHERE {_match(connection.vendor, table)} ORDER BY {newest} LIMIT %s"
    )
    parts = [f"SELECT * FROM ({part}) AS part_{turn}" for turn in range(len(asked))]  # noqa: S608
    given = [
        each
        for turn, (match, most) in enumerate(asked)
        for each in (turn, *parameters, match, most)
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY 1, 2 DESC", given)
        return list(dict.fromkeys(photo_id for _, photo_id in cursor.fetchall()))[:limit]


def _asked(stems: Sequence[str], vendor: str, limit: int) -> list[tuple[str, int]]:
    """What is looked up, and how many photos of each are enough: all stems at once, each alone, of
    a long text the last ones together."""
    alone, rest = [*stems[:MOST_ALONE]], stems[MOST_ALONE:]
    singles = [*alone, _OR[vendor].join(rest)] if rest else alone
    if len(stems) == 1:
        return [(stems[0], limit)]
    share = min(max(limit // len(singles), FEWEST_OF_EACH), MOST_OF_EACH)
    return [(_AND[vendor].join(stems), limit), *((each, share) for each in singles)]


def containing(
    connection: BaseDatabaseWrapper, exact_words: str, *, table: str = TABLE
) -> RawSQL | None:
    """The ids of all photos in one of whose texts `exact_words` stand, one after the other and as
    they are written, for `filter(pk__in=…)`; None if there is no word in them."""
    words = split(exact_words)
    if not words:
        return None
    vendor = connection.vendor
    literal = f" {' '.join(words)} "
    contains = " OR ".join(_CONTAINS[vendor].format(table=table, column=c) for c in COLUMNS)
    return RawSQL(  # noqa: S611  constants; what is typed goes as parameters
        f"SELECT {_KEY[vendor]} FROM {table} "  # noqa: S608  constants
        f"WHERE {_match(vendor, table)} AND ({contains})",
        [_AND[vendor].join(_stems(words, vendor)), *[literal] * len(COLUMNS)],
    )


def having(
    connection: BaseDatabaseWrapper, phrases: Sequence[str], *, table: str = TABLE
) -> RawSQL | None:
    """The ids of all photos that have all words (by stem) of one of `phrases`, for
    `filter(pk__in=…)`; None if there is no word in them."""
    vendor = connection.vendor
    each = [_AND[vendor].join(stems) for phrase in phrases if (stems := _stems([phrase], vendor))]
    if not each:
        return None
    return RawSQL(  # noqa: S611  constants; what is typed goes as a parameter
        f"SELECT {_KEY[vendor]} FROM {table} WHERE {_match(vendor, table)}",  # noqa: S608
        [_OR[vendor].join(f"({stems})" for stems in dict.fromkeys(each))],
    )


def read(
    connection: BaseDatabaseWrapper,
    photo_ids: Sequence[int],
    *,
    having: Sequence[Word] | None = None,
    table: str = TABLE,
) -> list[Texts]:
    """The indexed texts of these photos, in no particular order; with `having` only those photos
    that have one of the words, see `texts_having`, since most have none."""
    if not photo_ids or (having is not None and not having):
        return []
    vendor = connection.vendor
    ids, given = listed(vendor, photo_ids)
    texts = f" || '{BREAK}' || ".join(COLUMNS)  # one text of them all costs half as much to fetch
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_KEY[vendor]}, {texts}, shown FROM {_checked(table)} "  # noqa: S608  constants
            f"WHERE {_KEY[vendor]} IN ({ids})",
            [given],
        )
        rows = cursor.fetchall()
    if having is not None:
        return list(texts_having(having, rows))
    return [texts_of(pk, joined.split(BREAK), shown) for pk, joined, shown in rows]


def listed(vendor: str, ids: Iterable[int]) -> tuple[str, str | list[int]]:
    """SQL that lists `ids`, for `IN (…)`, and its one parameter, however many they are."""
    numbers = list(ids)
    return _LISTED[vendor], json.dumps(numbers) if vendor == "sqlite" else numbers


def _match(vendor: str, table: str) -> str:
    return _MATCH[vendor].format(table=_checked(table))


def _joined(
    connection: BaseDatabaseWrapper, visible: QuerySet, table: str
) -> tuple[str, list[Any]]:
    """SQL of the join that leaves the `visible` photos, and its parameters. A join, not IN: the
    database then looks up each match instead of listing the whole library first."""
    compiler = visible.order_by().values("id").query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    return f"JOIN ({sql}) AS seen ON seen.id = {table}.{_KEY[connection.vendor]}", [*parameters]


def _stems(words: Sequence[str], vendor: str) -> list[str]:
    """The distinct stems of what is a word in `words`, quoted for the database's query syntax."""
    stems = {stem(part): None for word in words for part in split(word)}
    return [_QUOTE[vendor].format(each) for each in stems]


def _as_stored(stems: Sequence[str], vendor: str) -> str:
    """For SQLite the stems; for PostgreSQL a tsvector literal: each stem with its positions, so
    that ranking can count them."""
    if vendor == "sqlite":
        return " ".join(stems)
    places = enumerate(stems[:MAX_POSITION], start=1)
    return " ".join(f"'{each}':{position}" for position, each in places)
