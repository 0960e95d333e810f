"""Teaching a tag from five examples: an owner who is simulated, and a library that is large.

The owner teaches classes of --data, whose photos lie among drawn ones; answers as many questions as
--answers says, and is told how good the tag is. That is compared with the truth over all photos
that nobody answered. Times are of the product in a library of its own with --library photos: until
the first question, until the next round, and until the whole library is tagged. Words that many
photos show are taught as well, to photos of a simulated owner's library.
"""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search.teaching.asking import How, Ranked, next_questions, reach
from search.teaching.judging import Answers, Quality, judge
from search.teaching.line import PRESUMED, Learnt, Lesson, learn
from vision.collection import Collection
from webapp.find.benchmarks._drawn import photo_vectors
from webapp.measuring import measure_apart
from webapp.teach.benchmarks._owner_library import read_library
from webapp.teach.evaluation.subject import Subject, active_subject
from webapp.teach.runs.snapshots import training_folder
from webapp.terminal import table as as_table

DATA = settings.BASE_DIR.parent / "shared" / "data" / "caltech101"
EXAMPLES = 5
LEAST_PHOTOS = 25  # of a class that is taught
FREQUENT = ("person", "man", "clothing", "vehicle", "animal", "dog", "water", "food", "tree")
OWNERS = 4  # of each of these, who bring other examples
BATCH = 64

Vectors = NDArray[np.float32]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with tars of classes")
    parser.add_argument("--classes", type=int, default=30, help="that are taught; default: 30")
    parser.add_argument("--drawn", type=int, default=20_000, help="photos among which they lie")
    parser.add_argument("--answers", type=int, default=20, help="of each owner; default: 20")
    parser.add_argument("--library", type=int, default=100_000, help="photos for the times")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    subject = active_subject()
    vectors, names = _embedded(options["data"], subject)
    drawn = np.concatenate(list(photo_vectors(options["drawn"], seed=1)))
    vectors = np.concatenate([vectors, drawn])
    counts = {name: names.count(name) for name in sorted(set(names))}
    classes = [name for name, count in counts.items() if count >= LEAST_PHOTOS]
    chosen = np.random.default_rng(0).permutation(classes)[: options["classes"]]
    frequent = _frequent(options["data"].parent, subject, options["answers"])
    rows = []
    for seed, name in enumerate(chosen.tolist()):
        shows = np.array([each == name for each in names] + [False] * options["drawn"])
        rows.append({"tag": name, **Owner(vectors, shows, seed).teach(options["answers"])})
    with TemporaryDirectory(prefix="marea-teaching-") as home:
        times = measure_apart(
            "webapp.teach.benchmarks._teaching_child",
            options["library"],
            home=Path(home) / "data",
        )
    return {
        "photos": len(vectors),
        "answers": options["answers"],
        "tags": rows,
        "frequent": frequent,
        "library": options["library"],
        "times": times,
    }


def _embedded(data: Path, subject: Subject) -> tuple[Vectors, list[str]]:
    """Embeddings (n, 512) by the active version, and the classes."""
    eye = subject.eye
    collection = Collection(data)
    splits = sorted(collection.splits()) or [collection.split_to_measure()]
    photos = [photo for split in splits for photo in collection.photos(split)]
    found = []
    for at in range(0, len(photos), BATCH):
        images = [image for _, image in photos[at : at + BATCH]]
        found.append(np.asarray(eye.embedded(eye.features(images)).embeddings, np.float32))
    return np.concatenate(found), [name.split("/")[0] for name, _ in photos]


def _frequent(data: Path, subject: Subject, answers: int) -> list[dict[str, Any]]:
    """Owners who teach words that many photos show; raises DataMissing."""
    library = read_library(data, subject.version, subject.eye, training_folder() / "collections")
    rows = []
    for word in FREQUENT:
        place = library.facts.words.index(word)
        judged = library.judged[:, place]  # where it is known whether they show it
        vectors, shows = library.embeddings[judged], library.facts.shown[judged, place]
        told = [Owner(vectors, shows, seed).teach(answers) for seed in range(OWNERS)]
        rows += [{"tag": word, "share": float(shows.mean()), **each} for each in told]
    return rows


class Owner:
    """Knows which photos show the tag, brings five and answers what is asked."""

    def __init__(self, vectors: Vectors, shows: NDArray[np.bool_], seed: int) -> None:
        self.vectors, self.shows = vectors, shows
        self.chance = np.random.default_rng(seed)
        self.presumed = self.chance.choice(len(vectors), PRESUMED, replace=False)
        brought = self.chance.permutation(np.flatnonzero(shows))[:EXAMPLES]
        self.asked = {int(pk): (How.EXAMPLE, 1.0) for pk in brought}

    def teach(self, answers: int) -> dict[str, float]:
        first = self._told(*self._learn())
        while len(self.asked) < EXAMPLES + answers:
            _, ranked = self._learn()
            for question in next_questions(ranked, self.chance):
                self.asked[question.photo_id] = (question.how, question.chance)
        last = self._told(*self._learn())
        return {f"{name}_at_first": value for name, value in first.items()} | last

    def _learn(self) -> tuple[Learnt, Ranked]:
        ids = np.array(sorted(self.asked))
        presumed = np.setdiff1d(self.presumed, ids)
        lesson = Lesson(self.vectors[ids], self.shows[ids], self.vectors[presumed])
        how = np.array([str(self.asked[pk][0]) for pk in ids.tolist()])
        learnt = learn(lesson)
        learnt = learnt.lowered(reach(learnt.held_out, lesson.shows, how))
        left = np.setdiff1d(np.arange(len(self.vectors)), ids)
        log_odds = learnt.line.log_odds(self.vectors[left])
        order = np.argsort(-log_odds, kind="stable")
        return learnt, Ranked(left[order], log_odds[order])

    def _told(self, learnt: Learnt, ranked: Ranked) -> dict[str, float]:
        quality = self._judged(learnt, ranked)
        right = int(self.shows[ranked.ids[: ranked.tagged]].sum())
        there = int(self.shows[ranked.ids].sum())
        return {
            "precision": right / max(ranked.tagged, 1),
            "recall": right / max(there, 1),
            "precision_said": quality.precision,
            "recall_said": quality.recall,
        }

    def _judged(self, learnt: Learnt, ranked: Ranked) -> Quality:
        ids = sorted(self.asked)
        return judge(
            Answers(
                shows=self.shows[ids],
                how=np.array([str(self.asked[pk][0]) for pk in ids]),
                chance=np.array([self.asked[pk][1] for pk in ids]),
                held_out=learnt.held_out,
            ),
            ranked,
        )


def table(figures: Mapping[str, Any]) -> str:
    shares = [row["share"] for row in figures["frequent"]]
    times = [(name, f"{s:.2f}", f"{work:.2f}") for name, (s, work) in figures["times"].items()]
    return (
        f"{len(figures['tags'])} tags among {figures['photos']:,} photos\n"
        f"{_told(figures['tags'], figures['answers'])}\n\n"
        f"{len(FREQUENT)} words on {min(shares):.0%} to {max(shares):.0%} of photos\n"
        f"{_told(figures['frequent'], figures['answers'])}\n\n"
        f"{figures['library']:,} photos\n{as_table(['', 's', 's of one core'], times)}"
    )


def _told(rows: Sequence[Mapping[str, Any]], answers: int) -> str:
    """What is true and what is said, means over owners."""

    def mean(name: str) -> float:
        return float(np.mean([row[name] for row in rows]))

    def off(name: str, after: str = "") -> float:
        each = [abs(row[name + after] - row[f"{name}_said{after}"]) for row in rows]
        return float(np.mean(each))

    shown = []
    for title, after in (("5 examples", "_at_first"), (f"+ {answers} answers", "")):
        for name in ("precision", "recall"):
            values = mean(name + after), mean(f"{name}_said{after}"), off(name, after)
            shown.append((title, name, *(f"{value:.2f}" for value in values)))
    return as_table(["after", "", "true", "said", "off by (mean)"], shown)
