"""manage.py rebuild_index: make the vector index and the full text anew from the database."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from search.errors import IndexBusy, IndexDamaged, IndexMissing, IndexUnreachable
from search.index import Manifest
from webapp.find.index.building import build_index, undo_index
from webapp.find.index.documents import index_everything
from webapp.library.models import Photo
from webapp.teach.services import active_version


class Command(BaseCommand):
    help = (
        "Make the vector index and the full text of all photos anew from the database. Search goes "
        "on meanwhile, and running web servers take up the new index by themselves."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--undo",
            action="store_true",
            help="put the vector index before this one back in use, and make nothing",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["undo"]:
            return self._undo(options)
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
        except IndexUnreachable as error:
            raise CommandError(f"{error} The full text is done; the old index stays.") from error
        self._say(manifest, options, seconds=round(time.monotonic() - started, 2))
        return None

    def _undo(self, options: dict[str, Any]) -> None:
        try:
            manifest = undo_index(active_version())
        except (IndexMissing, IndexDamaged, IndexBusy, IndexUnreachable) as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self._say(manifest, options, seconds=0.0)

    def _say(self, manifest: Manifest, options: dict[str, Any], *, seconds: float) -> None:
        size_bytes = sum(mark.size_bytes for mark in manifest.files.values())
        figures = {
            "version": manifest.version,
            "vectors": manifest.count,
            "kind": manifest.kind,
            "size_bytes": size_bytes,
            "seconds": seconds,
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        elif options["undo"]:
            self.stdout.write(
                f"The index of {manifest.version} with {manifest.count:,} photos, up to change "
                f"{manifest.high_water_mark:,}, is back in use. --undo once more takes it back."
            )
        else:
            size = f", {size_bytes / 1e6:,.1f} MB" if size_bytes else ""
            self.stdout.write(
                f"The index of {manifest.version} has {manifest.count:,} photos "
                f"({manifest.kind}{size}), made in {seconds} s."
            )
