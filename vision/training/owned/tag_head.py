"""The tag head of a version, taken apart for corrections to be taught, and put together again."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from vision.errors import TrainingError
from vision.eye import Eye
from vision.heads.word_model import WordModel, probe_input
from vision.heads.word_tags import WordTable, WordTagger, read_word_table
from vision.training.owned.features import OwnedFeatures
from vision.training.owned.tag_lessons import Spoken
from vision.training.owned.tags import (
    TagMaterial,
    TagRetraining,
    Taught,
    retrain_tags,
    with_words,
)
from vision.training.publish import Draft
from vision.training.steps import Progress, silent
from vision.versions import Version
from vision.vocabulary.own_words import OWN

# Of the tables of retrained heads: the threshold before any correction. Trainings begin from it, so
# that teaching the same twice changes nothing.
FIRST = "first_threshold"


@dataclass(frozen=True, slots=True)
class TagLessons:
    """What people said of tags: photos to learn from, to judge by, and photos nobody spoke of.

    `words` are those that people use; how often, the training counts itself.
    """

    spoken: Sequence[Spoken]
    judged_by: Sequence[Spoken]
    others: Sequence[str]


def teach_tags(
    base: Version,
    eye: Eye,
    seen: OwnedFeatures,
    lessons: TagLessons,
    draft: Draft,
    config: TagRetraining,
    *,
    work: Path,
    progress: Progress = silent,
) -> dict[str, float]:
    """Put a taught tag head into the draft; figures of how it learned. Raises TrainingError."""
    if not isinstance(eye.tag, WordTagger):
        raise TrainingError(
            f"The tags of {base.name} cannot be retrained: its tag head does not weigh words. "
            "Activate a version that does, such as the one that ships."
        )
    if not lessons.spoken:
        raise TrainingError(
            "Nobody has added or rejected a tag on a photo that may be learned from yet, so there "
            "is nothing to learn. Correct some tags first. (A fifth of all photos is held out.)"
        )
    spec = base.part("tags")
    table = _first_thresholds(read_word_table(base.text(spec["words"])), base.text(spec["words"]))
    own = new_words(lessons.spoken, table, fewest=config.fewest)
    grown, model = with_words(table, eye.tag.model, own)
    new = [number for number, group in enumerate(grown.groups) if group == OWN]
    taught = retrain_tags(
        _material(seen, model, lessons), grown, new, config, work=work, progress=progress
    )
    _write_table(draft.folder / spec["words"], grown, taught)
    save_file(_arrays(taught.put_into(model, new)), draft.folder / spec["file"])
    said = taught.thresholds[new] < 1
    return {**taught.figures, "new words": float(len(new)), "new words said": float(said.sum())}


def new_words(spoken: Sequence[Spoken], table: WordTable, *, fewest: int) -> list[str]:
    """Words that the head does not know and that people gave to at least `fewest` photos."""
    counts: dict[str, int] = {}
    for each in spoken:
        for word, shows in each.words.items():
            counts[word] = counts.get(word, 0) + shows
    return sorted(w for w, count in counts.items() if count >= fewest and w not in table.words)


def _material(seen: OwnedFeatures, model: WordModel, lessons: TagLessons) -> TagMaterial:
    spoken = _read(seen, model, [each.photo for each in lessons.spoken])
    judged = _read(seen, model, [each.photo for each in lessons.judged_by])
    other = _read(seen, model, lessons.others)
    return TagMaterial(
        lessons.spoken, *spoken[:2], lessons.judged_by, *judged[:2], *other[:2],
        features=spoken[2], other_features=other[2],
    )  # fmt: skip


def _read(
    seen: OwnedFeatures, model: WordModel, photos: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Log-odds before anything was taught, embeddings, and what probes read."""
    log_odds = [np.zeros((0, len(model.weights)), np.float32)]
    embeddings = [np.zeros((0, model.prompts.shape[1]), np.float32)]
    probed = [np.zeros((0, model.probe.shape[1]), np.float32)]
    for features in seen.batches(photos):
        assert features.embeddings is not None  # noqa: S101  `batches` makes them
        log_odds.append(model.untaught(features, features.embeddings))
        embeddings.append(features.embeddings)
        probed.append(probe_input(features))
    return np.concatenate(log_odds), np.concatenate(embeddings), np.concatenate(probed)


def _first_thresholds(table: WordTable, text: str) -> WordTable:
    rows = csv.DictReader(io.StringIO(text))
    first = [float(row.get(FIRST) or row["threshold"]) for row in rows]
    return replace(table, thresholds=np.array(first, np.float32))


def _write_table(path: Path, table: WordTable, taught: Taught) -> None:
    chosen = [*taught.thresholds, *table.thresholds[table.modelled :]]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        names = ["word", "group", "broader", "classes", "threshold", "hurtful", "person", FIRST]
        rows.writerow(names)
        for number, word in enumerate(table.words):
            above = table.broader[number]
            rows.writerow(
                [
                    word,
                    table.groups[number],
                    table.words[above] if above >= 0 else "",
                    " ".join(map(str, table.classes[number])),
                    round(float(chosen[number]), 4),
                    "yes" if table.hurtful[number] else "",
                    "yes" if table.people[number] else "",
                    round(float(table.thresholds[number]), 4),
                ]
            )


def _arrays(model: WordModel) -> dict[str, NDArray[np.generic]]:
    assert model.taught is not None  # noqa: S101  `Taught.put_into` taught it
    return {
        "prompts": model.prompts.astype(np.float16),
        "probe": model.probe.astype(np.float16),
        "weights": model.weights.astype(np.float32),
        "group": model.group.astype(np.int32),
        "knots": model.knots.astype(np.float32),
        "values": model.values.astype(np.float32),
        "taught": model.taught.astype(np.float32),
    }
