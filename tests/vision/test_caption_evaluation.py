"""Captions are measured in every language that both the version and the folder have."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.vision.folders import write_collection
from vision.errors import DataMissing
from vision.evaluation.captions import captions
from vision.eye import Eye, load_eye
from vision.sight import EMBED_DIM, Sight

NAMES = [f"{number:05}.png" for number in range(2, 6)]
GERMAN = ["Ein roter Kreis auf Grau", "Ein grünes Quadrat auf Grau", "Ein blaues Kreuz auf Grau"]


@pytest.fixture(scope="module")
def eye() -> Eye:
    return load_eye("lite2-2026.11", device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four photos with English captions, three of them with German ones."""
    folder = write_collection(tmp_path / "shapes", train=2, dev=4)
    rows = [("dev", name, text) for name, text in zip(NAMES, GERMAN, strict=False)]
    with gzip.open(folder / "captions.de.csv.gz", "wt", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows([("split", "file", "caption"), *rows])
    return folder


def sights(german: list[str]) -> list[tuple[str, Sight]]:
    embedding = np.zeros(EMBED_DIM, dtype=np.float32)
    others = [{"de": (text, 0.5)} for text in german] or [{}] * len(NAMES)
    return [
        (name, Sight(embedding, [], "A red circle on grey", 0.5, other))
        for name, other in zip(NAMES, others, strict=True)
    ]


def test_german_is_measured_beside_english(folder: Path, eye: Eye) -> None:
    figures = captions(folder, "dev", eye=eye, seen=sights([*GERMAN, "Nichts"]))
    german = figures.pop("german")
    assert german.keys() == figures.keys()
    assert (figures["photos"], german["photos"]) == (4, 3)
    assert german["bleu4"] == pytest.approx(1.0)
    assert figures["bleu4"] < 1.0


def test_a_version_without_german_is_measured_in_english_alone(folder: Path, eye: Eye) -> None:
    assert "german" not in captions(folder, "dev", eye=eye, seen=sights([]))
    assert "german" not in captions(folder, "dev", eye=eye), "as the first version sees"


def test_german_captions_may_be_all_that_there_is(folder: Path, eye: Eye) -> None:
    (folder / "captions.en.csv.gz").unlink()
    figures = captions(folder, "dev", eye=eye, seen=sights([*GERMAN, "Nichts"]))
    assert figures.keys() == {"german"}
    assert figures["german"]["bleu4"] == pytest.approx(1.0)
    with pytest.raises(DataMissing, match="has a caption"):
        captions(folder, "dev", eye=eye, seen=sights([]))  # a version that speaks no German
