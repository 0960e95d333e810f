"""manage.py models: the model versions on this machine, and which of them is at work."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from vision.errors import VisionError
from vision.pulling.catalogue import CATALOGUE
from vision.versions import open_version
from webapp.errors import NotFound, UserError
from webapp.teach import jobs
from webapp.teach.datasets import asking
from webapp.teach.datasets.models import DataSet
from webapp.teach.job_models import ModelJob
from webapp.teach.judging.comparing import in_short, in_words
from webapp.teach.judging.verdicts import judge
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version, weights_folder
from webapp.teach.switching import retention
from webapp.teach.switching.activating import activate, roll_back
from webapp.teach.switching.relooking import Looks, unseen
from webapp.teach.versions.fetched import free_name, load_photos, photos_to_fit_to, some_photos
from webapp.teach.versions.folders import (
    Known,
    folder_of,
    known_versions,
    models_folder,
    register,
)
from webapp.terminal import table

EXTRA = "requirements-strong.txt"
NAMED = 20  # photos that could not be read
LARGEST = 384  # side of the photos that any backbone or head wants


class Command(BaseCommand):
    help = "List, pull, adopt, activate and roll back model versions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        listing = actions.add_parser("list", help="versions on this machine", prog=parser.prog)
        listing.add_argument("--json", action="store_true", help="print one JSON object")
        pull = actions.add_parser(
            "pull",
            help=f"fetch a model over the network: {', '.join(CATALOGUE)}; goes on where it broke",
        )
        adoption = actions.add_parser(
            "adopt",
            help="fit heads for a backbone to your own photos and what the active version says",
        )
        adoption.add_argument(
            "--as", dest="new_name", metavar="VERSION", help="name of the new version"
        )
        activation = actions.add_parser(
            "activate",
            help="verify a version, let it look at every photo, then put it to work",
        )
        activation.add_argument(
            "--override",
            default="",
            metavar="REASON",
            help="put it to work although it is worse than the version at work; the reason is kept",
        )
        comparing = actions.add_parser(
            "compare", help="judge a version beside another, on photos that no training learns from"
        )
        reading = actions.add_parser(
            "read", help="read the data set of that number, which somebody sent, as a worker does"
        )
        forgetting = actions.add_parser(
            "forget", help="make a version like the active one without one of its classifiers"
        )
        for each in (pull, adoption, activation, comparing, reading, forgetting):
            each.add_argument("name", metavar="NAME")
            each.add_argument("--job", type=int, help="the row that a worker tells how far it is")
        comparing.add_argument("other", metavar="OTHER", nargs="?", help="default: the active one")
        comparing.add_argument("--json", action="store_true", help="print one JSON object")
        tidying = actions.add_parser("tidy", help="let go of old versions, by MAREA_VERSIONS_KEPT")
        tidying.add_argument("--dry-run", action="store_true", help="only say what would go")
        actions.add_parser("rollback", help="put the version back to work that was active before")

    def handle(self, *args: Any, **options: Any) -> None:
        actions = {
            "list": self._list,
            "pull": self._pull,
            "adopt": self._adopt,
            "activate": self._activate,
            "compare": self._compare,
            "tidy": self._tidy,
            "rollback": self._roll_back,
            "read": self._read,
            "forget": self._forget,
        }
        job = ModelJob.objects.filter(pk=options.get("job") or 0).first()
        self.tell = jobs.Teller(job) if job else Bar()
        try:
            said = actions[options["action"]](**options)
        except (UserError, VisionError, ModuleNotFoundError) as error:
            message = str(error)
            if isinstance(error, ModuleNotFoundError):
                message = f"This needs the package {error.name}: pip install -r {EXTRA}."
            if job:
                jobs.finish(job, failed=message)
            raise CommandError(message) from error
        finally:
            if isinstance(self.tell, Bar):
                self.tell.close()
        if job:
            jobs.finish(job, said=said)
        if said:
            self.stdout.write(said)

    def _list(self, **options: Any) -> str:
        versions = known_versions()
        if options["json"]:
            rows = [asdict(version) | {"folder": str(version.folder)} for version in versions]
            return json.dumps({"versions": rows})
        header = ["version", "active", "MB", "photos seen", "measured"]
        return table(header, [_row(version) for version in versions])

    def _pull(self, *, name: str, **_: Any) -> str:
        from vision.pulling.pulling import Pulling, pull

        models_folder().mkdir(parents=True, exist_ok=True)
        config = Pulling(
            models=models_folder(),
            base=open_version(weights_folder(active_version())),
            mirror=settings.MAREA_MODELS_URL,
            photos=some_photos,
            progress=self.tell,
        )
        pull(name, config)
        if CATALOGUE[name].needs_adopting:
            return f"{name} is here. Let it take over with: manage.py models adopt {name}"
        return f"{name} is here. Put it to work with: manage.py models activate {name}"

    def _adopt(self, *, name: str, new_name: str | None = None, **_: Any) -> str:
        from vision.adopting.adopting import Adoption, adopt

        wanted = new_name or free_name(f"{name}-adopted")
        config = Adoption(
            name=wanted,
            new=open_version(folder_of(name)),
            active=open_version(weights_folder(active_version())),
            numbers=photos_to_fit_to(),
            load=lambda numbers: load_photos(numbers, size=LARGEST),
            work=models_folder() / ".adopting" / f"{name}-for-{active_version().name}",
            to=models_folder() / wanted,
            progress=self.tell,
        )
        adopt(config)
        return f"{wanted} is here. Put it to work with: manage.py models activate {wanted}"

    def _read(self, *, name: str, **_: Any) -> str:
        data_set = DataSet.objects.filter(pk=int(name) if name.isdecimal() else 0).first()
        if data_set is None:
            raise NotFound(f"There is no data set {name}.")
        return asking.read(data_set, self.tell)

    def _forget(self, *, name: str, **_: Any) -> str:
        from vision.classifying.training import without_classifier

        base = active_version()
        wanted = free_name(f"{base.name[:60]}-without-{name}"[:76])
        without_classifier(
            wanted, open_version(weights_folder(base)), name, models_folder() / wanted
        )
        return f"{wanted} is here. Put it to work with: manage.py models activate {wanted}"

    def _activate(self, *, name: str, override: str = "", job: int | None = None, **_: Any) -> str:
        version, asked = register(name), ModelJob.objects.filter(pk=job or 0).first()
        if number := unseen(version).count():
            self.stderr.write(
                f"{name} looks at {number:,} photos first; until then {active_version().name} "
                "serves. This may be interrupted and called again."
            )
        unreadable = activate(
            version,
            lambda: _eye(version),
            tell=self.tell,
            user=asked.user if asked else None,
            reason=asked.reason if asked else override,
        )
        said = f"{version.name} is at work."
        if unreadable:
            self.stderr.write(f"{unreadable} photos could not be read; manage.py doctor says more.")
            named = ", ".join(map(str, version.unreadable[:NAMED]))
            said += f" It could not read {unreadable} photos, which are set aside: {named}"
            said += "." if unreadable <= NAMED else " and more."
        return said

    def _compare(self, *, name: str, other: str | None = None, **options: Any) -> str:
        version, against = register(name), register(other) if other else active_version()
        if not against.is_active:  # so that it has looked at them as well
            judge(against, lambda: _eye(against), tell=self.tell)
        verdict = judge(version, lambda: _eye(version), tell=self.tell, against=against)
        if options.get("json"):
            return json.dumps(
                {
                    "version": name,
                    "against": against.name,
                    "outcome": verdict.outcome,
                    "reasons": verdict.reasons,
                    "photos": verdict.photos,
                    "measures": verdict.measures,
                }
            )
        return "\n".join(in_short(verdict) if options.get("job") else in_words(verdict))

    def _tidy(self, *, dry_run: bool = False, **_: Any) -> str:
        going = [f"{each.version.name}: {each.says}" for each in retention.leaving()]
        if not dry_run:
            retention.tidy()
        return "\n".join(going) or "There is nothing to let go of."

    def _roll_back(self, **_: Any) -> str:
        return f"{roll_back().name} is at work again."


def _eye(version: ModelVersion) -> Looks:
    from vision.eye import load_eye

    return load_eye(weights_folder(version))


class Bar:
    """A progress bar for each step, on a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._step = ""

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self.close()
            scaled = total >= 1_000_000
            self._bar = tqdm(
                desc=step, total=total or None, unit="B" if scaled else "", unit_scale=scaled,
                initial=0, disable=None,
            )  # fmt: skip
            self._step = step
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _row(version: Known) -> list[object]:
    recall = _figure(version.metrics, "text_to_image", "recall@10")
    measured = f"text → image recall@10 {recall:.3f}" if recall is not None else ""
    if version.lacks:
        measured = "waits for models adopt"
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
