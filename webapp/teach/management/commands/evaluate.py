"""manage.py evaluate WHAT: how good a model version is, by the code that the product runs."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from vision.collection import Collection, survey
from vision.errors import DataMissing, VisionError
from webapp.errors import UserError
from webapp.teach.evaluation.figures import Figures
from webapp.teach.evaluation.gate import verdict
from webapp.teach.evaluation.measures import MEASURES
from webapp.teach.evaluation.plots import plotted
from webapp.teach.evaluation.relevance_gate import compared, complaint, kept_figures
from webapp.teach.evaluation.subject import Subject, active_subject, subject_with
from webapp.terminal import table

MEASURED = settings.BASE_DIR / "docs" / "measured.json"
CLASSIFIER = "classifier"
DATA = settings.BASE_DIR.parent / "shared" / "data"


class Command(BaseCommand):
    help = (
        "Measure the active model version on captioned or labelled photos: "
        f"{', '.join(MEASURES)}, or all of them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=[*MEASURES, CLASSIFIER, "all"], help="what to measure")
        parser.add_argument(
            "name", metavar="NAME", nargs="?", help="with classifier: which one, such as roof-tiles"
        )
        parser.add_argument(
            "--folder",
            metavar="DIR",
            type=Path,
            help="with classifier: a folder with a folder of photos for each class, which it has "
            "not learned from",
        )
        parser.add_argument(
            "--data",
            metavar="DIR",
            type=Path,
            default=DATA / "flickr8k",
            help="a folder with <split>*.tar or photos.tar, or folders of these names, and "
            "captions.<lang>.csv.gz or labels.csv; default: ../shared/data/flickr8k",
        )
        parser.add_argument(
            "--split",
            metavar="NAME",
            help="which of the photos; default: dev, else val, else test, else the only one",
        )
        parser.add_argument(
            "--backbone",
            metavar="NAME",
            help="measure the newest version with this backbone beside the active one",
        )
        parser.add_argument(
            "--docs",
            metavar="FILE",
            type=Path,
            nargs="?",
            const=settings.BASE_DIR / "docs" / "benchmarks.md",
            help="measure on every collection of --data's parent folder and write tables and "
            "plots, with all of every shipped version, else of the active one and the others' "
            "figures as they were; default: docs/benchmarks.md",
        )
        parser.add_argument(
            "--gate",
            action="store_true",
            help="with search: fail if a group of queries fell by more than noise below the "
            "figures that --docs kept",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["what"] == CLASSIFIER:
                self._print_classifier(options)
            elif options["gate"]:
                self._hold_gate(options)
            elif options["docs"]:
                self._write_docs(options)
            else:
                self._print(options)
        except (VisionError, UserError) as error:
            raise CommandError(str(error)) from error

    def _print_classifier(self, options: Mapping[str, Any]) -> None:
        from webapp.teach.evaluation.classifiers import measure_classifier

        if options["name"] is None or options["folder"] is None:
            raise CommandError("Say which classifier, and on which photos: NAME --folder DIR.")
        figures = measure_classifier(options["name"], options["folder"])
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        else:
            self.stdout.write(table(["", options["name"]], _lines(figures)))

    def _write_docs(self, options: Mapping[str, Any]) -> None:
        from webapp.teach.evaluation.report import write_report

        measures = tuple(MEASURES) if options["what"] == "all" else (options["what"],)
        written = write_report(
            options["data"].parent, options["docs"], measures=measures, say=self._say
        )
        for file in written:
            self.stdout.write(f"{file} was written.")

    def _hold_gate(self, options: Mapping[str, Any]) -> None:
        if options["what"] != "search":
            raise CommandError("--gate goes with search: no other figures are kept by query.")
        subject, collection = active_subject(), options["data"].name
        version, before = kept_figures(MEASURED, collection, subject.version.name)
        changes = compared(before, self._measure(subject, self._split(options), options))
        if options["json"]:
            self.stdout.write(json.dumps({name: asdict(each) for name, each in changes.items()}))
        if fallen := complaint(changes, collection, version):
            raise CommandError(fallen)
        if not options["json"]:
            self.stdout.write(f"No group of queries fell on {collection} by more than noise.")

    def _print(self, options: Mapping[str, Any]) -> None:
        subjects = [active_subject()]
        if options["backbone"]:
            subjects.append(subject_with(options["backbone"]))
        split = self._split(options)
        figures = {each.version.name: self._measure(each, split, options) for each in subjects}
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(figures, alone=not options["backbone"])))
        else:
            self.stdout.write(_as_table(figures))

    def _split(self, options: Mapping[str, Any]) -> str:
        """The split to measure; says what of it is left out. Raises DataMissing and BadData."""
        split = Collection(options["data"]).split_to_measure(options["split"])
        for sentence in survey(options["data"], split).complaints():
            self._say(sentence)
        return split

    def _measure(self, subject: Subject, split: str, options: Mapping[str, Any]) -> Figures:
        data = options["data"]
        if options["what"] != "all":
            self._say(f"Measuring {options['what']} on {split} of {data.name} …")
            return MEASURES[options["what"]](subject, data, split)
        return measure_all(subject, data, split, say=self._say)

    def _say(self, sentence: str) -> None:
        self.stderr.write(sentence)


def measure_all(subject: Subject, data: Path, split: str, *, say: Any) -> Figures:
    """Every measure that the folder allows; the others are named with what they lack."""
    figures: Figures = {}
    lacking: list[DataMissing] = []
    for name, measure in MEASURES.items():
        say(f"Measuring {name} of {subject.version.name} on {split} of {data.name} …")
        try:
            figures[name] = measure(subject, data, split)
        except DataMissing as missing:
            say(f"Left out {name}: {missing}")
            lacking.append(missing)
    if not figures:
        raise lacking[0]
    return figures


def _as_json(figures: Mapping[str, Figures], *, alone: bool) -> Figures:
    """One version's figures as they are; of two, both by name, with the verdict of the gate."""
    if alone:
        return next(iter(figures.values()))
    return {"versions": figures, **_gate(list(figures.values()))}


def _gate(figures: Sequence[Figures]) -> Figures:
    ours, theirs = figures
    needed = {"retrieval", "classification"}
    return {"gate": verdict(theirs, ours)} if needed <= theirs.keys() else {}


def _as_table(figures: Mapping[str, Figures]) -> str:
    columns = [dict(_lines(each)) for each in figures.values()]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [(name, *(column.get(name, "") for column in columns)) for name in names]
    parts = [table(["", *figures], rows)]
    if len(columns) > 1 and (gate := _gate(list(figures.values()))):
        parts.append(table(["gate", ""], _lines(gate["gate"])))
    return "\n\n".join(parts)


def _lines(figures: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested figures one below the other."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += _lines(value, f"{prefix}{name} ")
        elif name == "reliability":
            lines += [(f"{prefix}{name} {first}", second) for first, second in plotted(value)]
        elif not isinstance(value, list):  # other curves are for plots
            lines.append((f"{prefix}{name}".replace("_", " "), _shown(value)))
    return lines


def _shown(value: float | str | None) -> str:
    if value is None:
        return "nothing to judge"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
