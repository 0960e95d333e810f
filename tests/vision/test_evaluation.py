"""Evaluation on a drawn collection, by the version that ships."""

import gzip
from pathlib import Path

import pytest

from tests.vision.folders import write_collection
from vision.errors import DataMissing
from vision.evaluation.captions import captions, score
from vision.evaluation.retrieval import retrieval
from vision.evaluation.tags import tags
from vision.eye import Eye, load_eye
from vision.text_encoder import load_text_encoder

RECALLS = {"recall@1", "recall@5", "recall@10"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_collection(tmp_path_factory.mktemp("data") / "shapes", train=2, dev=8)


@pytest.fixture(scope="module")
def eye() -> Eye:
    return load_eye(device="cpu")


def test_retrieval_reports_both_ways(folder: Path, eye: Eye) -> None:
    figures = retrieval(folder, "dev", eye=eye, text_encoder=load_text_encoder())
    assert figures["photos"] == 8
    assert figures["queries"] == 16
    for direction in ("text_to_image", "image_to_text"):
        assert figures[direction].keys() == RECALLS
        assert all(0.0 <= value <= 1.0 for value in figures[direction].values())
        assert figures[direction]["recall@1"] <= figures[direction]["recall@10"]
    assert figures["text_to_image"]["recall@10"] == 1.0, "eight photos are all within ten"


def test_german_sentences_are_judged_beside_their_english_twins(tmp_path: Path, eye: Eye) -> None:
    folder = write_collection(tmp_path / "shapes", train=2, dev=4)
    rows = [
        "split,file,caption,kind",
        "dev,00002.png,Ein Kreis.,translation",
        "dev,00003.png,Ein Quadrat.,translation",
        "dev,00004.png,Grau in grau.,independent",
    ]
    with gzip.open(folder / "captions.de.csv.gz", "wt", encoding="utf-8") as table:
        table.write("\n".join(rows) + "\n")
    figures = retrieval(folder, "dev", eye=eye, text_encoder=load_text_encoder())
    assert figures["queries"] == 8, "English has two captions of each of four photos"
    german = figures["german"]
    assert (german["photos"], german["queries"]) == (2, 2), "only translations have twins"
    assert german["everything"].keys() == RECALLS
    assert german["text_to_image"].keys() == german["twin"].keys() == RECALLS


def test_german_captions_alone_are_measured(tmp_path: Path, eye: Eye) -> None:
    folder = write_collection(tmp_path / "shapes", train=2, dev=3)
    (folder / "captions.en.csv.gz").unlink()
    (folder / "captions.de.csv").write_text("split,file,caption\ndev,00002.png,Ein Kreis.\n")
    figures = retrieval(folder, "dev", eye=eye, text_encoder=load_text_encoder())
    assert figures.keys() == {"photos", "german"}
    assert figures["german"].keys() == {"photos", "queries", "text_to_image"}, "there is no twin"
    assert (figures["german"]["photos"], figures["german"]["queries"]) == (1, 1)
    assert figures["german"]["text_to_image"]["recall@5"] == 1.0, "of three photos"


def test_tags_are_not_judged_by_nothing(tmp_path: Path, eye: Eye) -> None:
    folder = write_collection(tmp_path / "shapes", train=2, dev=2)
    (folder / "captions.en.csv.gz").unlink()
    (folder / "labels.csv").write_text("split,file,class\ndev,00002.png,xyzzy\n")
    with pytest.raises(DataMissing, match="names a word of the vocabulary"):
        tags(folder, "dev", eye=eye)


def test_captions_report_every_metric(folder: Path, eye: Eye) -> None:
    figures = captions(folder, "dev", eye=eye)
    metrics = {"bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider_d"}
    assert figures.keys() == {"photos"} | metrics
    assert figures["photos"] == 8
    assert all(figures[metric] >= 0.0 for metric in metrics)


def test_captions_that_people_wrote_score_best() -> None:
    references = {"1": ["a red car on a road"], "2": ["two dogs in deep snow"]}
    figures = score({name: texts[0] for name, texts in references.items()}, references)
    assert figures["bleu4"] == pytest.approx(1.0)
    assert figures["rouge_l"] == pytest.approx(1.0)
    assert figures["cider_d"] == pytest.approx(10.0)


def test_tags_report_precision_by_group(folder: Path, eye: Eye) -> None:
    figures = tags(folder, "dev", eye=eye)
    assert figures.keys() >= {"photos", "tags", "precision", "recall", "by_group"}
    assert figures["photos"] == 8
    assert figures["tags"] == 0, "a drawing is nothing that everyday words name"
    assert figures["precision"] is None, "so nothing was right, and nothing wrong"


def test_a_split_that_is_not_there_is_named(folder: Path, eye: Eye) -> None:
    with pytest.raises(DataMissing, match="split 'test'"):
        captions(folder, "test", eye=eye)
    with pytest.raises(DataMissing, match=r"captions\.fr\.csv\.gz does not exist"):
        retrieval(folder, "dev", eye=eye, text_encoder=load_text_encoder(), lang="fr")
