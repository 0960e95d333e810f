"""Many ids in one statement."""

from collections.abc import Collection

from django.db import connection
from django.db.models.expressions import RawSQL

from search import fulltext


def among(ids: Collection[int]) -> RawSQL:
    """For `filter(pk__in=among(ids))`: all `ids` as one parameter, which Django neither checks nor
    writes into SQL one by one. For 600 ids that takes 4 ms off a query that takes 5."""
    sql, given = fulltext.listed(connection.vendor, ids)
    return RawSQL(sql, [given])  # noqa: S611  constants
