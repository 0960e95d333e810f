"""manage.py train NAME: train a part of a model version, on what people said of the photos here or
on a folder of captioned photos."""

import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from vision.errors import VisionError
from vision.versions import open_version
from webapp.errors import UserError
from webapp.teach import jobs
from webapp.teach.datasets.asking import HEADS, PROBLEM, ask_to_train
from webapp.teach.datasets.models import DataSet
from webapp.teach.datasets.registering import (
    keep_data_set,
    nothing_told,
    read_source,
    snapshot_of,
    tidy_title,
)
from webapp.teach.job_models import ModelJob
from webapp.teach.runs import lifecycle
from webapp.teach.runs.kinds import KINDS
from webapp.teach.runs.models import TrainingRun
from webapp.teach.runs.telling import Stopped, kept_in_hand
from webapp.teach.versions.folders import folder_to_measure, models_folder
from webapp.texts import one_line

if TYPE_CHECKING:
    from vision.training.run import VersionTraining
    from vision.training.workshop import Workshop

DISTILL, STUDENT = "distill", "inception-v3"
RANKER = "ranker"
SHARED = ("embedding", "captions", "all")  # what processes under torchrun train together

DATA = settings.BASE_DIR.parent / "shared" / "data"
PACKAGES = "tests/requirements.txt"  # training needs what tests need: ONNX export and MiniLM


class Command(BaseCommand):
    help = (
        "Train a part (tags, embedding, captions) of the active model "
        "version on this library's photos and what people corrected, and publish a version beside "
        "the others; the training is listed on the page Runs. 'distill' teaches Inception-v3 what "
        "the active version's backbone sees of the photos, without any labels. With --data, either "
        "learns from a folder of captioned photos instead, and all of a version can. "
        "Interrupted, it goes on where it was. Started by torchrun, several processes or GPUs "
        "share the training from a folder. A version is put to work by manage.py models activate. "
        "'problem' trains a classifier on a folder or ZIP with a folder of photos for each class. "
        "'ranker' learns the order of results from what people did with them, and puts it to work "
        "if it beats the present order on queries that it has not learned from."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "part", metavar="NAME", nargs="?", help="what to train, all, distill, problem or ranker"
        )
        source = parser.add_mutually_exclusive_group()
        for kind in ("folder", "zip"):
            source.add_argument(
                f"--{kind}",
                metavar="DIR" if kind == "folder" else "FILE",
                type=Path,
                help=f"with problem: a {kind} with a folder of photos for each class",
            )
        parser.add_argument(
            "--head",
            choices=HEADS,
            default=HEADS[0],
            help="with problem: how deep the classifier is; blocks also trains what the backbone "
            "does above its feature grid; default: linear or deep, what does best on photos kept "
            "aside",
        )
        parser.add_argument(
            "--data",
            metavar="DIR",
            type=Path,
            help="learn from the collections in this folder, not from the library; "
            "default of all: ../shared/data",
        )
        parser.add_argument(
            "--why",
            default="Asked for on the command line.",
            help="the reason, for the list of runs",
        )
        parser.add_argument(
            "--set",
            dest="chosen",
            metavar="NAME=NUMBER",
            action="append",
            default=[],
            help="a setting of a training on the library; the page Train explains them",
        )
        parser.add_argument("--run", type=int, metavar="ID", help="do the run of that number")
        parser.add_argument(
            "--as",
            dest="name",
            metavar="VERSION",
            default="candidate",
            help="name of the new version, or with problem of the classifier; default: candidate",
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--backbone",
            metavar="NAME",
            help="network under all heads; default: EfficientNet-Lite2",
        )
        parser.add_argument(
            "--undo",
            action="store_true",
            help="with ranker: go back to the order before the last promotion",
        )
        parser.add_argument(
            "--steps",
            type=int,
            help="of the training in all; with distill --data a later call with more goes on from "
            "the last one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if _is_one_of_many() and not _is_shared(options):
            raise CommandError(
                "Several processes together train embedding, captions or all of a version, from a "
                "folder: give --data. Anything else is trained by one process, without torchrun."
            )
        if options["part"] == RANKER:
            self._teach_ranker(options["undo"])
        elif options["run"] is not None:
            self._do(self._waiting(options["run"]))
        elif options["part"] == PROBLEM:
            self._train_problem(**options)
        elif options["part"] is None:
            raise CommandError("Say what to train: manage.py train NAME. See --help.")
        elif options["part"] in KINDS and not _is_from_folder(options):
            self._train_here(**options)
        else:
            self._train_from_folder(**options | {"data": options["data"] or DATA})

    def _waiting(self, number: int) -> TrainingRun:
        """The run that a worker has in hand."""
        run = TrainingRun.objects.select_related("job").filter(pk=number).first()
        if run is None or run.job.state != ModelJob.State.RUNNING:
            raise CommandError(f"There is no training {number} in hand.")
        return run

    def _train_problem(self, *, name: str, why: str, seed: int, head: str, **options: Any) -> None:
        source: Path | None = options["folder"] or options["zip"]
        if source is None:
            raise CommandError("Say where the photos are: --folder DIR or --zip FILE.")
        if not source.exists():
            raise CommandError(f"{source} is not there.")
        try:
            data_set = DataSet(title=tidy_title(name), source=one_line(str(source))[:500])
            keep_data_set(data_set, read_source(source, nothing_told))
        except UserError as error:
            raise CommandError(error.message) from error
        self.stderr.write(f"{data_set.photos:,} photos of {data_set.classes:,} classes.")
        for remark in snapshot_of(data_set).manifest["remarks"]:
            self.stderr.write(remark)
        self._take_and_do(
            partial(ask_to_train, None, data_set, title=name, head=head, why=why, seed=seed)
        )

    def _train_here(
        self, *, part: str, why: str, chosen: list[str], seed: int, steps: int | None, **_: Any
    ) -> None:
        try:
            parameters: dict[str, Any] = dict(each.split("=", 1) for each in chosen)
        except ValueError:
            raise CommandError("--set takes NAME=NUMBER, such as --set steps=200.") from None
        if steps is not None:
            parameters["steps"] = steps
        self._take_and_do(
            partial(lifecycle.ask, part, user=None, why=why, parameters=parameters, seed=seed)
        )

    def _take_and_do(self, ask: Callable[[], TrainingRun]) -> None:
        try:
            with transaction.atomic():
                run = ask()
                lifecycle.take(run)
        except UserError as error:
            raise CommandError(error.message) from error
        run.refresh_from_db()
        with kept_in_hand(run.job):
            self._do(run)

    def _do(self, run: TrainingRun) -> None:
        """Train, and write into the run's job how it ended; ended from outside, a worker goes on
        with it once its lease is over."""
        try:
            name = lifecycle.do(run)
        except Stopped:
            raise CommandError("The training was stopped.") from None
        except (UserError, VisionError) as error:
            jobs.finish(run.job, failed=str(error))
            raise CommandError(str(error)) from error
        except ModuleNotFoundError as error:
            message = f"Training needs the package {error.name}: pip install -r {PACKAGES}."
            jobs.finish(run.job, failed=message)
            raise CommandError(message) from error
        said = f"{name} is here."
        jobs.finish(run.job, said=said)
        self.stdout.write(f"{said} Put it to work with: manage.py models activate {name}")

    def _train_from_folder(self, **options: Any) -> None:
        from vision.training.distributed.world import joined

        train = self._distil if options["part"] == DISTILL else self._train
        try:
            with joined() as world:
                folder = train(**options)
        except VisionError as error:
            raise CommandError(str(error)) from error
        except ModuleNotFoundError as error:
            raise CommandError(
                f"Training needs the package {error.name}: pip install -r {PACKAGES}."
            ) from error
        if not world.is_first:
            return
        self.stdout.write(
            f"{folder} was written. Put it to work with: manage.py models activate {folder.name}"
        )

    def _teach_ranker(self, is_undo: bool) -> None:
        from webapp.find.ranker import learning

        said = learning.undone() if is_undo else learning.told(learning.learn_ranking())
        self.stdout.write(said)

    def _train(
        self, *, part: str, data: Path, name: str, seed: int, backbone: str | None, **_: Any
    ) -> Path:
        from vision.training.distributed.world import current_world
        from vision.training.run import train_version
        from vision.training.steps import silent

        config = _plan(part, data, name, seed, backbone)
        config.to.parent.mkdir(parents=True, exist_ok=True)
        with _progress_bar() as progress:
            return train_version(config, progress=progress if current_world().is_first else silent)

    def _distil(self, *, data: Path, name: str, seed: int, steps: int | None, **_: Any) -> Path:
        from vision.training.distillation.distill import Distillation
        from vision.training.distillation.successor import Succession, publish_successor
        from vision.training.distillation.teach import distil

        config = Distillation(seed=seed) if steps is None else Distillation(steps=steps, seed=seed)
        base, shop, to = open_version(folder_to_measure()), _shop(data, STUDENT), models_folder()
        to.mkdir(parents=True, exist_ok=True)
        features = _shop(data, None).work / "features"
        with _progress_bar() as progress:
            distil(data, shop.work, config, teacher=base, features=features, progress=progress)
        return publish_successor(
            shop,
            base,
            name,
            to / name,
            features=features,
            distillation=config,
            config=Succession(),
        )


def _is_one_of_many() -> bool:
    """Whether torchrun started this process with others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def _is_shared(options: dict[str, Any]) -> bool:
    return _is_from_folder(options) and options["part"] in SHARED


def _is_from_folder(options: dict[str, Any]) -> bool:
    return options["data"] is not None or options["backbone"] is not None


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int, dict[str, float]], None]]:
    with tqdm(unit="step", disable=None) as bar:

        def progress(done: int, total: int, figures: dict[str, float]) -> None:
            bar.total = total
            bar.set_postfix(figures, refresh=False)
            bar.update(done - bar.n)

        yield progress


def _shop(data: Path, backbone: str | None) -> "Workshop":
    from vision.training.networks import DEFAULT_NETWORK
    from vision.training.workshop import workshop

    return workshop(data, Path(settings.MAREA_DATA) / "training", backbone or DEFAULT_NETWORK)


def _plan(part: str, data: Path, name: str, seed: int, backbone: str | None) -> "VersionTraining":
    from vision.training.captions.decoder import CaptionTraining
    from vision.training.embedding.towers import EmbeddingTraining
    from vision.training.networks import NETWORKS
    from vision.training.run import TRAININGS, VersionTraining

    if part != "all" and part not in TRAININGS:
        known = ", ".join([*TRAININGS, DISTILL, RANKER])
        raise CommandError(f"{part} cannot be trained; there are {known} and all.")
    if backbone is not None and backbone not in NETWORKS:
        raise CommandError(f"There is no backbone {backbone}; there are {', '.join(NETWORKS)}.")
    return VersionTraining(
        name=name,
        shop=_shop(data, backbone),
        to=models_folder() / name,
        parts=tuple(TRAININGS) if part == "all" else (part,),
        base=None if part == "all" else open_version(folder_to_measure()),
        embedding=EmbeddingTraining(seed=seed),
        captions=CaptionTraining(seed=seed),
    )
