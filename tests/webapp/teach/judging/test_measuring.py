"""Commands that train, evaluate and benchmark: figures as JSON, failures as sentences."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.vision.folders import write_collection
from webapp.teach.management.commands.benchmark import benchmarks
from webapp.terminal import table

pytestmark = pytest.mark.django_db


def _json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out)


def test_evaluate_retrieval_prints_recall(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_collection(tmp_path / "drawings", train=2, dev=4)
    call_command("evaluate", "retrieval", data=folder, json=True)
    figures = _json(capsys)
    assert figures["photos"] == 4
    assert figures["queries"] == 8
    assert set(figures["text_to_image"]) == {"recall@1", "recall@5", "recall@10"}
    assert 0 <= figures["image_to_text"]["recall@1"] <= 1


@pytest.mark.processes
def test_evaluate_all_has_each_measure_under_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_collection(tmp_path / "drawings", train=2, dev=4)
    call_command("evaluate", "all", data=folder, json=True)
    figures = _json(capsys)
    assert {"retrieval", "captions", "search"} <= set(figures)
    assert 0 <= figures["captions"]["bleu4"] <= 1
    assert figures["search"]["photos"] == 4
    assert figures["search"]["text_to_image"]["recall@10"] == 1  # there are only four photos


def test_evaluate_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_collection(tmp_path / "drawings", train=2, dev=4)
    call_command("evaluate", "captions", data=folder)
    assert "cider d" in capsys.readouterr().out


def test_evaluate_names_the_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        call_command("evaluate", "retrieval", data=tmp_path / "nowhere")


def test_train_names_the_missing_collection(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="flickr8k"):
        call_command("train", "embedding", data=tmp_path)


def test_train_names_what_can_be_trained() -> None:
    with pytest.raises(CommandError, match=r"there are .*embedding"):
        call_command("train", "everything")


def test_benchmarks_are_found_by_name() -> None:
    assert {"ingest", "vision"} <= set(benchmarks())


def test_benchmark_vision_compares_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("benchmark", "vision", "--photos", "2", "--batch", "2", "--files", "2", "--json")
    figures = _json(capsys)
    assert figures["ratio"] == pytest.approx(figures["ours"] / figures["baseline"])
    assert figures["agreement"]["embedding_cosine"] > 0.8
    assert figures["photos"] == 2
    assert 0 <= figures["agreement"]["tags"] <= figures["agreement"]["tag_overlap"] <= 1
    assert 1.6 < figures["files"]["gflop_a_photo"] < 2.0  # 0.87 thousand million multiply-adds
    assert figures["files"]["ours"] > 0


def test_benchmark_vision_says_what_the_speed_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_collection(tmp_path / "drawn", train=2, dev=12)
    call_command(
        "benchmark", "vision", "--data", str(folder), "--photos", "12", "--files", "0", "--json"
    )
    recall = _json(capsys)["agreement"]["recall@10"]
    assert 0 < recall["ours"] <= 1
    assert 0 < recall["baseline"] <= 1


@pytest.mark.processes
def test_benchmark_ingest_measures_each_side_in_a_process_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("benchmark", "ingest", "--photos", "2", "--json")
    figures = _json(capsys)
    assert figures["ratio"] == pytest.approx(figures["ours"] / figures["baseline"])
    assert figures["ratio"] > 1
    assert 2 < figures["mean_file_mb"] < 6  # as a camera's
    assert figures["torch_in_web"] is False
    assert 0 < figures["web_mb"] < figures["worker_mb"]


def test_a_table_aligns_its_columns() -> None:
    shown = table(["side", "photos/s"], [("naive", "1.25"), ("Marea", "10.00")])
    assert shown == "side   photos/s\n-----  --------\nnaive      1.25\nMarea     10.00"
