"""manage.py models: the model versions on this machine, and which of them is at work."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from vision.errors import VisionError
from webapp.errors import UserError
from webapp.tables import table
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version, weights_folder
from webapp.teach.switching import activate, look_ahead, previous_version, unseen
from webapp.teach.versions import Known, known_versions, register


class Command(BaseCommand):
    help = "List, activate and roll back model versions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        listing = actions.add_parser("list", help="versions on this machine", prog=parser.prog)
        listing.add_argument("--json", action="store_true", help="print one JSON object")
        pull = actions.add_parser("pull", help="fetch a version over the network")
        pull.add_argument("name", metavar="NAME")
        activation = actions.add_parser(
            "activate",
            help="verify a version, let it look at every photo, then put it to work",
        )
        activation.add_argument("name", metavar="NAME")
        actions.add_parser("rollback", help="put the version back to work that was active before")

    def handle(self, *args: Any, **options: Any) -> None:
        actions = {
            "list": self._list,
            "pull": self._pull,
            "activate": self._activate,
            "rollback": self._roll_back,
        }
        try:
            actions[options["action"]](**options)
        except (UserError, VisionError) as error:
            raise CommandError(str(error)) from error

    def _list(self, **options: Any) -> None:
        versions = known_versions()
        if options["json"]:
            rows = [asdict(version) | {"folder": str(version.folder)} for version in versions]
            self.stdout.write(json.dumps({"versions": rows}))
        else:
            header = ["version", "active", "MB", "photos seen", "measured"]
            self.stdout.write(table(header, [_row(version) for version in versions]))

    def _pull(self, *, name: str, **_: Any) -> None:
        raise CommandError(
            f"{name} cannot be pulled: this Marea knows no version that comes over the network. "
            f"What ships needs none; see manage.py models list."
        )

    def _activate(self, *, name: str, **_: Any) -> None:
        version = register(name)
        self._look_ahead(version)
        activate(version)
        self.stdout.write(f"{version.name} is at work.")

    def _look_ahead(self, version: ModelVersion) -> None:
        number = unseen(version).count()
        if not number:
            return
        from vision.eye import load_eye

        self.stderr.write(
            f"{version.name} looks at {number:,} photos first; until then {active_version().name} "
            "serves. This may be interrupted and called again."
        )
        eye = load_eye(weights_folder(version))
        with tqdm(total=number, unit="photo", disable=None) as bar:
            unreadable = look_ahead(version, eye, looked=bar.update)
        if unreadable:
            self.stderr.write(
                f"{len(unreadable)} photos could not be read; manage.py doctor says more."
            )

    def _roll_back(self, **_: Any) -> None:
        version = register(previous_version().name)
        activate(version)
        self.stdout.write(f"{version.name} is at work again.")


def _row(version: Known) -> list[object]:
    recall = _figure(version.metrics, "text_to_image", "recall@10")
    measured = f"text → image recall@10 {recall:.3f}" if recall is not None else ""
    size = f"{version.size_bytes / 1e6:.0f}"
    return [version.name, "yes" if version.is_active else "", size, version.photos_seen, measured]


def _figure(metrics: Any, *path: str) -> float | None:
    """The first figure of that name, wherever in the metrics it stands."""
    if not isinstance(metrics, dict):
        return None
    if path[0] in metrics:
        inner = metrics[path[0]]
        return inner if len(path) == 1 else _figure(inner, *path[1:])
    found = (_figure(each, *path) for each in metrics.values())
    return next((figure for figure in found if figure is not None), None)
