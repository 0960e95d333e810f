"""manage.py rebuild_index: make the vector index and the full text anew from the database."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from search.errors import IndexBusy
from webapp.find.building import build_index
from webapp.find.documents import index_everything
from webapp.library.models import Photo
from webapp.teach.services import active_version


class Command(BaseCommand):
    help = (
        "Make the vector index and the full text of all photos anew from the database. Search goes "
        "on meanwhile, and running web servers take up the new index by themselves."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        with tqdm(total=Photo.objects.count(), unit=" photos", desc="Full text") as progress:
            for count in index_everything():
                progress.update(count)
        try:
            manifest = build_index(active_version())
        except IndexBusy as error:
            raise CommandError(
                "Another process is making the index just now. The full text is done; run this "
                "again in a minute if you still want to."
            ) from error
        size_bytes = sum(mark.size_bytes for mark in manifest.files.values())
        figures = {
            "version": manifest.version,
            "vectors": manifest.count,
            "kind": manifest.kind,
            "size_bytes": size_bytes,
            "seconds": round(time.monotonic() - started, 2),
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        else:
            self.stdout.write(
                f"The index of {manifest.version} has {manifest.count:,} photos ({manifest.kind}, "
                f"{size_bytes / 1e6:,.1f} MB), made in {figures['seconds']} s."
            )
