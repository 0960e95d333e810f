"""evaluate all --docs: what was measured reaches the page, and nothing else of it changes."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.vision.folders import write_collection
from webapp.teach.evaluation.plots import draw_reliability
from webapp.teach.evaluation.report import BEGIN, END, write_report
from webapp.teach.evaluation.tables import all_tables

pytestmark = pytest.mark.django_db


def test_tables_stand_between_the_marks(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "data" / "coco", train=12, dev=1)
    page = tmp_path / "benchmarks.md"
    page.write_text(f"# Before\n{BEGIN}\nold\n{END}\nAfter\n")
    call_command("evaluate", "all", data=folder, docs=page, stdout=StringIO(), stderr=StringIO())
    text = page.read_text()
    assert text.startswith("# Before\n")
    assert text.endswith(f"{END}\nAfter\n")
    assert "old" not in text
    assert "text → image recall@10" in text
    assert "BLEU-4" in text


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Mine\n")
    with pytest.raises(CommandError, match="begin"):
        call_command("evaluate", "all", data=tmp_path, docs=page, stderr=StringIO())
    assert page.read_text() == "# Mine\n"


def test_what_is_written_while_it_measures_stays(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "data" / "coco", train=12, dev=1)
    page, kept = tmp_path / "benchmarks.md", tmp_path / "measured.json"
    page.write_text(f"{BEGIN}\n{END}\nBefore\n")
    figures = {"other": {"coco": {"captions": {"photos": 9, "bleu4": 0.5}}}}

    def edit(_: str) -> None:
        page.write_text(f"{BEGIN}\n{END}\nMeanwhile\n")
        kept.write_text(json.dumps(figures))

    list(write_report(folder.parent, page, measures=["retrieval"], say=edit))

    assert page.read_text().endswith(f"{END}\nMeanwhile\n")
    assert "text → image recall@10" in page.read_text()
    assert json.loads(kept.read_text())["other"] == figures["other"]
    assert {file.name for file in tmp_path.iterdir()} == {
        "benchmarks.md",
        "data",
        "images",
        kept.name,
    }


def test_the_gate_is_told_for_every_other_version() -> None:
    def measured(recall: float) -> dict[str, dict[str, dict[str, object]]]:
        recalls = {f"recall@{k}": recall for k in (1, 5, 10)}
        retrieval = {"photos": 9, "text_to_image": recalls, "image_to_text": recalls}
        return {"drawn": {"retrieval": retrieval, "classification": {"top1": 0.9, "top5": 0.9}}}

    tables = all_tables({"first": measured(0.8), "second": measured(0.5)})
    assert "second beside first on drawn: 62% of recall@10" in tables
    assert "not passed" in tables


def test_one_measure_is_measured_anew_and_the_others_stay(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "data" / "coco", train=12, dev=1)
    page = tmp_path / "benchmarks.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    recalls = {f"recall@{k}": 0.25 for k in (1, 5, 10)}
    retrieval = {"photos": 9, "text_to_image": recalls, "image_to_text": recalls}
    before = {"before": {"coco": {"retrieval": retrieval, "captions": {"photos": 9, "bleu4": 0.5}}}}
    page.with_name("measured.json").write_text(json.dumps(before))

    call_command(
        "evaluate", "retrieval", data=folder, docs=page, stdout=StringIO(), stderr=StringIO()
    )

    kept = json.loads(page.with_name("measured.json").read_text())
    (now,) = kept.keys() - {"before"}
    assert kept["before"] == before["before"]
    assert set(kept[now]["coco"]) == {"retrieval"}
    assert f"| coco, before | coco, {now} |" in page.read_text()  # of which more was measured


def test_a_plot_is_the_same_for_the_same_figures(tmp_path: Path) -> None:
    points = [
        {"probability": 0.2, "shown": 0.3, "words": 5},
        {"probability": 0.9, "shown": 0.8, "words": 7},
    ]
    first = draw_reliability({"tags": points}, tmp_path / "a.svg").read_bytes()
    assert draw_reliability({"tags": points}, tmp_path / "a.svg").read_bytes() == first
    assert first.rstrip().endswith(b"</svg>")
