"""manage.py evaluate WHAT: how good the active model version is, by the code that the product runs.

A measure is a function of a collection's folder and split that gives figures (DESIGN, section 9).
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from vision.collection import Collection
from vision.errors import VisionError
from webapp.apart import measure_apart
from webapp.errors import UserError
from webapp.tables import table
from webapp.teach.versions import folder_to_measure

Figures = dict[str, Any]
Measure = Callable[[Path, str, Path], Figures]


def retrieval(folder: Path, split: str, version: Path) -> Figures:
    from vision.evaluation.retrieval import retrieval as measure
    from vision.eye import load_eye
    from vision.text_encoder import load_text_encoder

    return measure(folder, split, eye=load_eye(version), text_encoder=load_text_encoder(version))


def captions(folder: Path, split: str, version: Path) -> Figures:
    from vision.evaluation.captions import captions as measure
    from vision.eye import load_eye

    return measure(folder, split, eye=load_eye(version))


def tags(folder: Path, split: str, version: Path) -> Figures:
    from vision.evaluation.tags import tags as measure
    from vision.eye import load_eye

    return measure(folder, split, eye=load_eye(version))


def search(folder: Path, split: str, version: Path) -> Figures:
    """The whole search, in a library of its own: `kept_by_cutoff` of what is among the first ten
    comes before the cut-off, `shown` is the mean number of results before it."""
    Collection(folder).archives(split)  # says what is missing before a library is made
    with TemporaryDirectory(prefix="marea-search-") as home:
        return measure_apart(
            "webapp.teach.benchmarks._found",
            *(folder.resolve(), split, version),
            home=Path(home) / "data",
        )


def keywords(folder: Path, split: str, version: Path) -> Figures:
    from webapp.find.measuring import measure_keywords

    return _with_what_is_seen(measure_keywords, folder, split, version)


def cutoff(folder: Path, split: str, version: Path) -> Figures:
    from webapp.find.measuring import measure_cutoff

    return _with_what_is_seen(measure_cutoff, folder, split, version)


def _with_what_is_seen(
    measure: Callable[..., Figures], folder: Path, split: str, version: Path
) -> Figures:
    from vision.evaluation.retrieval import look_at_split
    from vision.eye import load_eye
    from vision.text_encoder import load_text_encoder

    seen = look_at_split(Collection(folder), split, load_eye(version))
    return measure(folder, split, seen=seen, encoder=load_text_encoder(version))


MEASURES: Mapping[str, Measure] = {
    "retrieval": retrieval,
    "keywords": keywords,
    "captions": captions,
    "tags": tags,
    "search": search,
    "cutoff": cutoff,
}


class Command(BaseCommand):
    help = (
        "Measure the active model version on captioned photos: "
        f"{', '.join(MEASURES)}, or all of them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=[*MEASURES, "all"], help="what to measure")
        parser.add_argument(
            "--data",
            metavar="DIR",
            type=Path,
            default=settings.BASE_DIR.parent / "shared" / "data" / "flickr8k",
            help="a folder with <split>*.tar and captions.<lang>.csv.gz; "
            "default: ../shared/data/flickr8k",
        )
        parser.add_argument("--split", metavar="NAME", default="dev", help="default: dev")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        what = options["what"]
        names = list(MEASURES) if what == "all" else [what]
        try:
            figures = {name: self._measure(name, options) for name in names}
        except (VisionError, UserError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(figures if what == "all" else figures[what]))
        else:
            self.stdout.write("\n\n".join(_table(name, each) for name, each in figures.items()))

    def _measure(self, name: str, options: Mapping[str, Any]) -> Figures:
        version = folder_to_measure()
        self.stderr.write(f"Measuring {name} on {options['split']} of {options['data'].name} …")
        return MEASURES[name](options["data"], options["split"], version)


def _table(name: str, figures: Figures) -> str:
    return table([name, ""], list(_lines(figures)))


def _lines(figures: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested figures one below the other."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += _lines(value, f"{prefix}{name} ")
        else:
            shown = f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
            lines.append((f"{prefix}{name}".replace("_", " "), shown))
    return lines
