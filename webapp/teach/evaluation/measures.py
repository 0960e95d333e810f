"""Everything that `evaluate` can measure: a version and a collection's split in, figures out.

Figures are those of the code that the product runs, by the names of DESIGN, section 9.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from vision.collection import Collection
from vision.errors import DataMissing
from webapp.measuring import measure_apart
from webapp.teach.evaluation.figures import Figures
from webapp.teach.evaluation.subject import Subject

Measure = Callable[[Subject, Path, str], Figures]


def retrieval(subject: Subject, folder: Path, split: str) -> Figures:
    from vision.evaluation.retrieval import retrieval as measure

    return measure(
        folder,
        split,
        eye=subject.eye,
        text_encoder=subject.text_encoder,
        seen=subject.seen(folder, split),
    )


def captions(subject: Subject, folder: Path, split: str) -> Figures:
    from vision.evaluation.captions import captions as measure

    return measure(folder, split, eye=subject.eye, seen=subject.seen(folder, split))


def tags(subject: Subject, folder: Path, split: str) -> Figures:
    from vision.evaluation.tags import tags as measure

    return measure(folder, split, eye=subject.eye, seen=subject.seen(folder, split))


def keywords(subject: Subject, folder: Path, split: str) -> Figures:
    from webapp.find.relevance.measuring import measure_keywords

    return measure_keywords(
        folder,
        split,
        seen=subject.seen(folder, split),
        encoder=subject.text_encoder,
        known=subject.known_words,
    )


def cutoff(subject: Subject, folder: Path, split: str) -> Figures:
    from webapp.find.relevance.measuring import measure_cutoff

    return measure_cutoff(
        folder,
        split,
        seen=subject.seen(folder, split),
        encoder=subject.text_encoder,
        known=subject.known_words,
    )


def alike(subject: Subject, folder: Path, split: str) -> Figures:
    from webapp.find.relevance.measuring import measure_alike

    return measure_alike(folder, split, seen=subject.seen(folder, split))


def search(subject: Subject, folder: Path, split: str) -> Figures:
    """The whole search, in a library of its own: `kept_by_cutoff` of what is among the first ten
    comes before the cut-off, `shown` is the mean number of results before it; `ndcg@10` of the
    relevance test set by group of queries, see `webapp.find.relevance`."""
    return _found("search", subject, folder, split)


def ablation(subject: Subject, folder: Path, split: str) -> Figures:
    """nDCG@10 of the relevance test set with everything, and `without` each thing in turn."""
    return _found("ablation", subject, folder, split)


def _found(what: str, subject: Subject, folder: Path, split: str) -> Figures:
    Collection(folder).sources(split)  # says what is missing before a library is made
    with TemporaryDirectory(prefix="marea-search-") as home:
        figures = measure_apart(
            "webapp.teach.benchmarks._found",
            *(what, folder.resolve(), split, subject.folder.resolve()),
            home=Path(home) / "data",
        )
    if "missing" in figures:
        raise DataMissing(figures["missing"])
    return figures


def classification(subject: Subject, folder: Path, split: str) -> Figures:
    from vision.evaluation.classification import classification as measure

    return measure(folder, split, backbone=subject.eye.backbone)


MEASURES: Mapping[str, Measure] = {
    "retrieval": retrieval,
    "keywords": keywords,
    "captions": captions,
    "tags": tags,
    "search": search,
    "ablation": ablation,
    "cutoff": cutoff,
    "alike": alike,
    "classification": classification,
}
