"""manage.py restore DIR: bring back what a backup holds."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from webapp.errors import UserError
from webapp.find.index.building import build_index
from webapp.library.management.commands.backup import with_progress
from webapp.library.models import Photo
from webapp.library.services import backup
from webapp.library.services.thumbnails import remake_thumbnails
from webapp.teach.services import active_version


class Command(BaseCommand):
    help = (
        "Restore the newest backup in DIR into an empty library: originals (each verified by its "
        "SHA-256), users, photos, tags, corrections; then thumbnails and index are made again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--at", metavar="NAME", help="which backup; default: the newest")
        parser.add_argument(
            "--force", action="store_true", help="replace a library that is not empty"
        )
        parser.add_argument(
            "--originals-only",
            action="store_true",
            help="only bring back originals that are missing or damaged; change nothing else",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        try:
            figures = self._restore(**options)
        except UserError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        else:
            self.stdout.write(_sentence(figures))
        if figures["lost_originals"]:
            raise CommandError(
                f"The backup does not hold {len(figures['lost_originals'])} originals whole; "
                "manage.py doctor names their photos."
            )

    def _restore(
        self, *, folder: Path, at: str | None, force: bool, originals_only: bool, **_: Any
    ) -> dict[str, Any]:
        chosen = backup.choose(folder, at)
        backup.check_backup(chosen)
        if not originals_only:
            backup.check_library(force=force)
        restored = backup.restore_originals(chosen, progress=with_progress)
        if not originals_only:
            restored.rows = backup.restore_rows(chosen)
            self._make_again()
        return {
            "backup": chosen.name,
            "rows": restored.rows,
            "originals": restored.originals,
            "lost_originals": restored.lost,
        }

    def _make_again(self) -> None:
        """Thumbnails and the index; if this is interrupted, `doctor --mend` goes on with it."""
        photos = Photo.objects.filter(state=Photo.State.READY).order_by("pk")
        bar = tqdm(
            photos.iterator(), total=photos.count(), unit="photo", desc="thumbnails", disable=None
        )
        remake_thumbnails(bar)
        build_index(active_version())


def _sentence(figures: dict[str, Any]) -> str:
    rows = figures["rows"]
    originals = f"{figures['originals']:,} originals"
    if not rows:
        return f"{originals} were brought back from {figures['backup']}."
    return (
        f"{rows.get('library.Photo', 0):,} photos of {rows.get('accounts.User', 0):,} users were "
        f"restored from {figures['backup']}, with {originals} that were not here. Everybody has "
        "to sign in again."
    )
