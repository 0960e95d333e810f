"""Write what was measured into docs/benchmarks.md: tables and plots, from the committed models."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from vision.errors import DataMissing
from vision.versions import WEIGHTS, shipped_versions
from webapp.errors import Refused
from webapp.library.storage import write_atomically
from webapp.teach.evaluation import plots, tables
from webapp.teach.evaluation.figures import Measured
from webapp.teach.evaluation.measures import MEASURES
from webapp.teach.evaluation.subject import Subject, active_subject

BEGIN = "<!-- written by manage.py evaluate all --docs: begin -->"
END = "<!-- written by manage.py evaluate all --docs: end -->"
BETWEEN = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)

# What is measured on which collection, by folder name: the split, and what its tables allow.
OF_CAPTIONED = tuple(name for name in MEASURES if name != "alike")
COLLECTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "flickr8k": ("dev", OF_CAPTIONED),
    "coco_wide": ("dev", OF_CAPTIONED),
    "coco": ("train", ("retrieval", "captions")),
    "caltech101": ("test", ("keywords", "alike")),
    "scenes": ("test", ("keywords", "alike")),
    "imagenet_sample": ("photos", ("keywords", "classification")),
}
# Slow, and about search rather than about the backbone: measured of the active version only.
OF_ACTIVE_ONLY = {"search", "ablation", "cutoff", "alike"}


def write_report(
    data: Path, page: Path, *, measures: Collection[str], say: Callable[[str], None]
) -> Iterator[Path]:
    """Measure, and rewrite the page's tables and its plots from what was measured now and before.

    With all `measures` every version that ships is measured anew, else the active one by these.
    Yields the files that were written. Raises DataMissing when no collection is there.
    """
    _marked(page)
    kept = page.with_name("measured.json")
    active = active_subject()
    if set(measures) == set(MEASURES):
        measured = _measure_all(active, data, say=say)
    else:
        newly = _measure(active, data, measures, say=say)
        measured = _with(_read(kept), active.version.name, newly)
    measured = _active_first(measured, active.version.name)
    images = page.parent / "images"
    images.mkdir(exist_ok=True)
    yield from plots.draw_all(measured, images)
    block = f"{BEGIN}\n{tables.all_tables(measured)}\n{END}"
    _write(page, BETWEEN.sub(lambda _: block, _marked(page)))
    yield page
    _write(kept, json.dumps(measured, indent=1, sort_keys=True) + "\n")
    yield kept


def _marked(page: Path) -> str:
    """The page as it is now: measuring takes hours, in which somebody may write on it."""
    text = page.read_text("utf-8")
    if not BETWEEN.search(text):
        raise Refused(f"{page} has no lines {BEGIN} and {END}, between which tables could go.")
    return text


def _write(file: Path, text: str) -> None:
    write_atomically(file, [text.encode()])


def _measure_all(active: Subject, data: Path, *, say: Callable[[str], None]) -> dict[str, Measured]:
    others = [Subject(WEIGHTS / name) for name in shipped_versions()]
    measured = {active.version.name: _measure(active, data, MEASURES, say=say)}
    for other in (each for each in others if each.version.name != active.version.name):
        allowed = [name for name in MEASURES if name not in OF_ACTIVE_ONLY]
        measured[other.version.name] = _measure(other, data, allowed, say=say)
    return measured


def _read(kept: Path) -> dict[str, Measured]:
    return json.loads(kept.read_text("utf-8")) if kept.exists() else {}


def _with(before: dict[str, Measured], version: str, measured: Measured) -> dict[str, Measured]:
    own = before.setdefault(version, {})
    for collection, measures in measured.items():
        own.setdefault(collection, {}).update(measures)
    return before


def _active_first(measured: Mapping[str, Measured], active: str) -> dict[str, Measured]:
    """Columns stand in this order, whatever was measured last; but the first one, with which others
    are compared, is a version of which most was measured."""

    def place(name: str) -> tuple[int, bool]:
        return -sum(len(measures) for measures in measured[name].values()), name != active

    return {
        name: {each: measured[name][each] for each in COLLECTIONS if each in measured[name]}
        for name in sorted(measured, key=place)
    }


def _measure(
    subject: Subject,
    data: Path,
    wanted: Collection[str],
    *,
    say: Callable[[str], None],
) -> Measured:
    measured: Measured = {}
    lacking: list[DataMissing] = []
    for name, (split, measures) in COLLECTIONS.items():
        for measure in (each for each in measures if each in wanted):
            say(f"Measuring {measure} of {subject.version.name} on {split} of {name} …")
            try:
                figures = MEASURES[measure](subject, data / name, split)
            except DataMissing as missing:
                say(f"Left out {measure} on {name}: {missing}")
                lacking.append(missing)
            else:
                measured.setdefault(name, {})[measure] = figures
    if not measured:
        raise lacking[0]
    return measured
