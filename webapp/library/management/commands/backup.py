"""manage.py backup DIR: a consistent copy of everything that cannot be made again."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from webapp.errors import UserError
from webapp.library.services.backup import Manifest, make_backup, prune_backups


def with_progress(items: Iterable[str]) -> Iterable[str]:
    """A bar on the terminal (on standard error), and nothing where there is none."""
    return tqdm(items, unit="original", disable=None)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError("at least one backup is kept")
    return number


class Command(BaseCommand):
    help = (
        "Back up users, photos, tags, corrections and originals into DIR while Marea is at work. "
        "Later backups into the same DIR add only what is new. Thumbnails, the index and the "
        "secret key are left out: the first two are made again, and without the key a backup "
        "lets nobody forge a session (people sign in once more after a restore). A photo that "
        "was deleted for good stays in backups made before: --keep lets go of old ones."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument(
            "--copy",
            action="store_true",
            help="copy originals even where hard links to them would do (the same disk)",
        )
        parser.add_argument(
            "--keep",
            type=_at_least_one,
            metavar="N",
            help="afterwards remove all but the newest N backups in DIR, and originals and data "
            "sets that none of those needs",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = make_backup(options["folder"], progress=with_progress, link=not options["copy"])
        except UserError as error:
            raise CommandError(error.message) from error
        if options["keep"]:
            prune_backups(options["folder"], keep=options["keep"])
        manifest = Manifest.read(made)
        if options["json"]:
            self.stdout.write(json.dumps(_figures(made, manifest)))
        else:
            self.stdout.write(_sentence(made, manifest))


def _figures(made: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "backup": made.name,
        "rows": manifest.rows,
        "originals": manifest.originals,
        "original_bytes": manifest.original_bytes,
        "missing_originals": manifest.missing_originals,
    }


def _sentence(made: Path, manifest: Manifest) -> str:
    photos, users = manifest.rows["library.Photo"], manifest.rows["accounts.User"]
    text = (
        f"{made} holds {photos:,} photos of {users:,} users "
        f"({manifest.original_bytes / 1e9:,.1f} GB of originals)."
    )
    if manifest.missing_originals:
        text += (
            f" {len(manifest.missing_originals)} originals were missing from the library and are "
            "not in it: see manage.py doctor."
        )
    return text
