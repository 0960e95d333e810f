"""manage.py evaluate, on a drawn collection and the model that ships."""

import gzip
import json
import tarfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.vision.folders import write_collection
from webapp.teach.evaluation.gate import verdict
from webapp.teach.evaluation.plots import plotted

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_collection(tmp_path_factory.mktemp("data") / "drawn", train=4, dev=24)


def evaluate(what: str, folder: Path, **options: Any) -> str:
    out = StringIO()
    call_command("evaluate", what, data=folder, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_json_is_one_object_and_nothing_else(collection: Path) -> None:
    figures = json.loads(evaluate("retrieval", collection, json=True))
    assert figures["photos"] == 24
    assert set(figures["text_to_image"]) == {"recall@1", "recall@5", "recall@10"}


def test_the_default_agrees_with_the_network_it_was_made_of(collection: Path) -> None:
    figures = json.loads(evaluate("classification", collection, json=True))
    assert figures["top1"] <= figures["top5"]
    assert figures["top5"] > 0.9


def test_two_versions_stand_side_by_side(collection: Path) -> None:
    printed = evaluate("classification", collection, backbone="efficientnet-lite2")
    header = printed.splitlines()[0]
    assert "lite2" in header
    assert "top5" in printed


def test_the_whole_search_is_measured_in_a_library_of_its_own(collection: Path) -> None:
    figures = json.loads(evaluate("search", collection, json=True))
    assert figures["photos"] == 24
    assert {"sentences", "keywords", "negations"} <= set(figures["ndcg@10"])
    assert all(0.0 < mean <= 1.0 for mean in figures["ndcg@10"].values())
    assert figures["asked"] == {group: len(own) for group, own in figures["scores"].items()}


def test_the_gate_is_of_search_alone_and_needs_figures_to_compare_with(collection: Path) -> None:
    with pytest.raises(CommandError, match="--gate goes with search"):
        evaluate("retrieval", collection, gate=True)
    with pytest.raises(CommandError, match="has no figures of search on drawn"):
        evaluate("search", collection, gate=True)


def test_an_unknown_backbone_is_named_with_those_there_are(collection: Path) -> None:
    with pytest.raises(CommandError, match="efficientnet-lite2"):
        evaluate("retrieval", collection, backbone="resnet")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        evaluate("retrieval", tmp_path / "nowhere")


def test_the_split_that_is_there_is_measured(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "drawn", train=2, dev=2)
    (folder / "dev.tar").rename(folder / "test.tar")
    table = folder / "captions.en.csv.gz"
    table.write_bytes(gzip.decompress(table.read_bytes()).replace(b"dev,", b"test,"))
    assert json.loads(evaluate("captions", folder, json=True))["photos"] == 2
    with pytest.raises(CommandError, match="no split 'dev'; it has test, train"):
        evaluate("captions", folder, split="dev")


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "drawn", train=2, dev=3)
    with tarfile.open(folder / "dev.tar", "a") as tar:
        tar.addfile(tarfile.TarInfo("broken.jpg"))
    said = StringIO()
    call_command("evaluate", "captions", data=folder, stdout=StringIO(), stderr=said)
    assert "cannot be read as photos: broken.jpg." in said.getvalue()


@pytest.mark.processes
def test_search_says_so_where_nothing_can_be_asked_for(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "drawn", train=2, dev=2)
    (folder / "captions.en.csv.gz").unlink()
    with pytest.raises(CommandError, match=r"^Nothing to ask for: "):
        evaluate("search", folder)


def test_the_reliability_of_tags_is_plotted(collection: Path) -> None:
    (line,) = plotted([{"from": 0.6, "to": 0.7, "probability": 0.66, "shown": 0.5, "words": 1200}])
    assert line == ("0.6 to 0.7", "██████████···|······ said 0.66, was right 0.50 of 1,200")
    assert "reliability 0.0 to 0.1" in evaluate("tags", collection)


def figures(recall: float, agreement: float) -> dict[str, Any]:
    return {
        "retrieval": {"text_to_image": {"recall@10": recall}},
        "classification": {"top5": agreement},
    }


@pytest.mark.parametrize(
    ("recall", "agreement", "passed"),
    [(0.67, 0.9, True), (0.66, 0.9, False), (0.67, 0.89, False), (0.9, 0.99, True)],
)
def test_the_gate_asks_for_both(recall: float, agreement: float, passed: bool) -> None:
    assert verdict(figures(recall, agreement), figures(0.70, 0.99))["passed"] is passed
