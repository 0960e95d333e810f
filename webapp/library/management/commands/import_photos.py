"""`manage.py import_photos PATH…`: add folders of photos that are on the server."""

import json
import logging
import os
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from webapp.accounts.models import User
from webapp.errors import NoSpace
from webapp.library.services.adding import Outcome
from webapp.library.services.importing import Imported, find_files, import_files

NOT_PHOTOS = {"not_an_image", "unsupported_format", "camera_raw"}  # expected among photos
SHOWN_REASONS = 50
INTERRUPTED = 130  # what a shell reports after Ctrl-C


class Command(BaseCommand):
    help = (
        "Add photos that are on this server to a user's library. Folders are searched through and "
        "through; hidden files are ignored. Running it again adds nothing twice, so an interrupted "
        "import goes on when it is started again. Exits with 1 when a photo could not be added."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="File or folder.")
        parser.add_argument("--user", metavar="NAME", help="Whose library; needed beyond one user.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *, paths: list[Path], user: str | None, json: bool, **options: Any) -> None:
        owner = _owner(user)
        for path in paths:
            if not path.exists():
                raise CommandError(f"{_shown(path)} does not exist. Nothing was imported.")
        # While no server runs, nobody takes the signals; the sweeper finds the photos later.
        logging.getLogger("workers.queue").setLevel(logging.ERROR)
        started = time.monotonic()
        results, stopped_by = self._import(owner, paths)
        seconds = time.monotonic() - started
        results.sort(key=lambda result: result.path)
        self.stdout.write(_as_json(owner, results, seconds) if json else _as_text(results))
        if isinstance(stopped_by, NoSpace):
            raise CommandError(f"{stopped_by.message} The import stopped; start it again then.")
        if stopped_by:
            raise CommandError(
                "Interrupted. Start it again to go on where it stopped.", returncode=INTERRUPTED
            )
        if any(_should_have_come(result) for result in results):
            raise CommandError("Some photos could not be added; the reasons are listed.")

    def _import(
        self, owner: User, paths: list[Path]
    ) -> tuple[list[Imported], KeyboardInterrupt | NoSpace | None]:
        """Results so far, and what ended the import early if anything did."""
        results: list[Imported] = []
        parallel = settings.MAREA_DECODERS + 2  # while some decode, others hash and write
        try:
            files = list(find_files(paths))
            with tqdm(total=len(files), unit="file", disable=None) as bar:

                def tell(imported: Imported) -> None:
                    results.append(imported)
                    bar.update()

                import_files(owner, files, parallel=parallel, tell=tell)
        except (KeyboardInterrupt, NoSpace) as stopped_by:
            return results, stopped_by
        return results, None


def _owner(name: str | None) -> User:
    if name:
        owner = User.objects.filter(username=name).first()
        if owner is None:
            raise CommandError(f"There is no user {name}. Nothing was imported.")
        return owner
    users = list(User.objects.all()[:2])
    if not users:
        raise CommandError("There is no user yet. Open Marea in a browser and make the first one.")
    if len(users) > 1:
        raise CommandError("There are several users; say whose library with --user NAME.")
    return users[0]


def _should_have_come(result: Imported) -> bool:
    return result.outcome is None and result.code not in NOT_PHOTOS


def _as_text(results: Sequence[Imported]) -> str:
    counts = Counter(result.outcome for result in results)
    left_out = [result for result in results if result.outcome is None]
    lines = [
        f"Photos added: {counts[Outcome.NEW]}, in the library already: {counts[Outcome.KNOWN]}, "
        f"back from the trash: {counts[Outcome.RESTORED]}. Files left out: {len(left_out)}."
    ]
    lines += [f"  {_shown(result.path)}: {result.reason}" for result in left_out[:SHOWN_REASONS]]
    if len(left_out) > SHOWN_REASONS:
        lines.append(f"  … and {len(left_out) - SHOWN_REASONS} more; --json lists them all.")
    return "\n".join(lines)


def _as_json(owner: User, results: Sequence[Imported], seconds: float) -> str:
    counts = Counter(result.outcome for result in results)
    return json.dumps(
        {
            "user": owner.username,
            "files": len(results),
            **{outcome.value: counts[outcome] for outcome in Outcome},
            "left_out": [
                {"path": _shown(result.path), "code": result.code, "reason": result.reason}
                for result in results
                if result.outcome is None
            ],
            "seconds": round(seconds, 1),
        }
    )


def _shown(path: Path) -> str:
    """A path as text, even where its bytes are no valid UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")
