"""Parts of a photo's time in SQL, by the camera's clock, which is kept as if it were UTC.

Django's own `ExtractMonth` calls Python for every row on SQLite, and turns to the time zone of
here.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, IntegerField
from django.db.models.sql.compiler import SQLCompiler


class ClockPart(Func):
    """`month` (1 to 12), `day` (1 to 31) or `weekday` (Monday 0) of a moment."""

    output_field = IntegerField()
    arity = 1
    _SQLITE = {
        "month": "CAST(strftime('%%%%m', %(expressions)s) AS INTEGER)",
        "day": "CAST(strftime('%%%%d', %(expressions)s) AS INTEGER)",
        "weekday": "((CAST(strftime('%%%%w', %(expressions)s) AS INTEGER) + 6) %%%% 7)",
    }
    _POSTGRESQL = {
        "month": "EXTRACT(MONTH FROM %(expressions)s AT TIME ZONE 'UTC')::integer",
        "day": "EXTRACT(DAY FROM %(expressions)s AT TIME ZONE 'UTC')::integer",
        "weekday": "(EXTRACT(ISODOW FROM %(expressions)s AT TIME ZONE 'UTC')::integer - 1)",
    }

    def __init__(self, moment: F | str, *, part: str = "month", **extra: Any) -> None:
        super().__init__(moment, **extra)
        self.part = part

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template=self._SQLITE[self.part], **context)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template=self._POSTGRESQL[self.part], **context)
