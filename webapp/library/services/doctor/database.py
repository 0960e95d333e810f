"""Is the database sound, and is it the database that this version of Marea expects?"""

from collections.abc import Iterator

from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from webapp.accounts.models import User
from webapp.library.models import Photo, Worker
from webapp.library.services.doctor.findings import Finding, count, note, problem
from workers import queue


def database() -> Iterator[Finding]:
    try:
        damage = _damage()
    except DatabaseError as error:
        yield problem(
            "database",
            f"The database does not answer: {error}.",
            "Check DATABASE_URL and that the database server runs.",
            ends_examination=True,
        )
        return
    if damage:
        yield problem(
            "database",
            f"The database file is damaged: {damage}.",
            "Stop Marea and restore the newest backup: manage.py restore DIR.",
            ends_examination=True,
        )
    else:
        yield Finding("database", f"{connection.vendor} answers and is sound.")


def _damage() -> str:
    """The first damage that SQLite finds in its file; other databases look after themselves."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SELECT 1")
            return ""
        cursor.execute("PRAGMA integrity_check(1)")
        (answer,) = cursor.fetchone()
    return "" if answer == "ok" else answer


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        yield problem(
            "migrations",
            f"{count(len(plan), 'migration')} must still be applied to the database.",
            "run manage.py migrate",
            _migrate,
            ends_examination=True,
        )
    else:
        yield Finding("migrations", "The database has the tables that this version expects.")


def _migrate() -> str:
    call_command("migrate", verbosity=0, interactive=False)
    return "The migrations were applied."


def rows() -> Iterator[Finding]:
    try:
        connection.check_constraints()
    except IntegrityError as error:
        yield problem(
            "rows",
            f"A row refers to another that is not there: {error}",
            "Restore the newest backup: manage.py restore DIR.",
        )
    photos, users = Photo.objects.count(), User.objects.count()
    yield Finding("rows", f"{count(photos, 'photo')} of {count(users, 'user')}.")


def work() -> Iterator[Finding]:
    """Photos that wait, those whose worker has gone, and those that were set aside."""
    stuck = Photo.objects.waiting().filter(lease_until__lt=timezone.now())
    if number := stuck.count():
        yield problem(
            "work",
            f"{count(number, 'photo')} were being looked at by a worker that has gone.",
            "give them back to the queue",
            _give_back,
        )
    if number := Photo.objects.waiting().count():
        yield _waiting(number)
    if number := Photo.objects.filter(state=Photo.State.FAILED).count():
        yield note(
            "work",
            f"{count(number, 'photo')} were set aside because they could not be looked at.",
            "The page Processing says why and has a button to try again.",
        )


def _waiting(number: int) -> Finding:
    message = f"{count(number, 'photo')} wait to be looked at"
    if Worker.objects.present().exists():
        return note("work", f"{message}; workers are at it.")
    return note("work", f"{message}, and no worker is running.", "Start Marea: make run.")


def _give_back() -> str:
    stuck = Photo.objects.waiting().filter(lease_until__lt=timezone.now())
    number = stuck.update(holder="", lease_until=None)
    queue.there_is_work()
    return f"{count(number, 'photo')} were given back to the queue."
