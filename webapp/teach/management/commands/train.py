"""manage.py train NAME: train a part of a model version on a folder of captioned photos."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from vision.errors import VisionError
from vision.versions import open_version
from webapp.teach.versions import folder_to_measure, models_folder

if TYPE_CHECKING:
    from vision.training.run import VersionTraining
    from vision.training.workshop import Workshop

DISTILL, STUDENT = "distill", "inception-v3"
RANKER = "ranker"

PACKAGES = "tests/requirements.txt"  # training needs what tests need: ONNX export and MiniLM


class Command(BaseCommand):
    help = (
        "Train a part (embedding, captions, …) or all of a model version and publish the version "
        "with its metrics beside the others. Interrupted, it goes on where it was. It is put to "
        "work by manage.py models activate. 'distill' teaches Inception-v3 what the active "
        "version's backbone sees, without any labels, and puts it under that version's heads. "
        "'ranker' learns the order of results from what people did with them, and puts it to work "
        "if it beats the present order on queries that it has not learned from."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("part", metavar="NAME", help="what to train, all, distill, or ranker")
        parser.add_argument(
            "--data",
            metavar="DIR",
            type=Path,
            default=settings.BASE_DIR.parent / "shared" / "data",
            help="folder with the collections; default: ../shared/data",
        )
        parser.add_argument(
            "--as",
            dest="name",
            metavar="VERSION",
            default="candidate",
            help="name of the new version; default: candidate",
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
            help="of the distillation in all; a later call with more goes on from the last one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["part"] == RANKER:
            self._teach_ranker(options["undo"])
            return
        train = self._distil if options["part"] == DISTILL else self._train
        try:
            folder = train(**options)
        except VisionError as error:
            raise CommandError(str(error)) from error
        except ModuleNotFoundError as error:
            raise CommandError(
                f"Training needs the package {error.name}: pip install -r {PACKAGES}."
            ) from error
        self.stdout.write(
            f"{folder} was written. Put it to work with: manage.py models activate {folder.name}"
        )

    def _teach_ranker(self, is_undo: bool) -> None:
        from webapp.find import learning

        said = learning.undone() if is_undo else learning.told(learning.learn_ranking())
        self.stdout.write(said)

    def _train(
        self, *, part: str, data: Path, name: str, seed: int, backbone: str | None, **_: Any
    ) -> Path:
        from vision.training.run import train_version

        config = _plan(part, data, name, seed, backbone)
        config.to.parent.mkdir(parents=True, exist_ok=True)
        with _progress_bar() as progress:
            return train_version(config, progress=progress)

    def _distil(self, *, data: Path, name: str, seed: int, steps: int | None, **_: Any) -> Path:
        from vision.training.distill import Distillation
        from vision.training.successor import Succession, publish_successor
        from vision.training.teach import distil

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
    from vision.training.captions import CaptionTraining
    from vision.training.embedding import EmbeddingTraining
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
