"""manage.py train NAME: train a part of a model version on a folder of captioned photos."""

from argparse import ArgumentParser
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

PACKAGES = "tests/requirements.txt"  # training needs what tests need: ONNX export and MiniLM


class Command(BaseCommand):
    help = (
        "Train a part (embedding, captions, …) or all of a model version and publish the version "
        "with its metrics beside the others. Interrupted, it goes on where it was. It is put to "
        "work by manage.py models activate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("part", metavar="NAME", help="what to train, or all")
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

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            folder = self._train(**options)
        except VisionError as error:
            raise CommandError(str(error)) from error
        except ModuleNotFoundError as error:
            raise CommandError(
                f"Training needs the package {error.name}: pip install -r {PACKAGES}."
            ) from error
        self.stdout.write(
            f"{folder} was written. Put it to work with: manage.py models activate {folder.name}"
        )

    def _train(self, *, part: str, data: Path, name: str, seed: int, **_: Any) -> Path:
        from vision.training.run import train_version

        config = _plan(part, data, name, seed)
        config.to.parent.mkdir(parents=True, exist_ok=True)
        with tqdm(unit="step", disable=None) as bar:

            def progress(done: int, total: int, figures: dict[str, float]) -> None:
                bar.total = total
                bar.set_postfix(figures, refresh=False)
                bar.update(done - bar.n)

            return train_version(config, progress=progress)


def _plan(part: str, data: Path, name: str, seed: int) -> "VersionTraining":
    from vision.training.captions import CaptionTraining
    from vision.training.embedding import EmbeddingTraining
    from vision.training.run import TRAININGS, VersionTraining
    from vision.training.workshop import Workshop

    if part != "all" and part not in TRAININGS:
        raise CommandError(f"{part} cannot be trained; there are {', '.join(TRAININGS)} and all.")
    return VersionTraining(
        name=name,
        shop=Workshop(data=data, work=Path(settings.MAREA_DATA) / "training"),
        to=models_folder() / name,
        parts=tuple(TRAININGS) if part == "all" else (part,),
        base=None if part == "all" else open_version(folder_to_measure()),
        embedding=EmbeddingTraining(seed=seed),
        captions=CaptionTraining(seed=seed),
    )
