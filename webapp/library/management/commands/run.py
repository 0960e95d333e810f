"""`manage.py run`: everything at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workers.supervision.marea import run
from workers.supervision.preparing import CannotStart


class Command(BaseCommand):
    help = "Start Marea: web server, workers, schedule and, unless REDIS_URL is set, Valkey."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run()
        except CannotStart as error:
            raise CommandError(str(error)) from error
