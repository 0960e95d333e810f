"""The gate of search: what fell by more than noise is said, everything else passes."""

import json
from pathlib import Path

import pytest

from webapp.errors import Refused
from webapp.teach.evaluation.relevance_gate import compared, complaint, kept_figures
from webapp.teach.evaluation.tables import all_tables

SCORES = [0.1, 0.4, 0.5, 0.7, 0.9] * 20


def figures(keywords: list[float], *, questions: str = "a") -> dict[str, object]:
    return {"questions": questions, "scores": {"keywords": keywords, "mixtures": SCORES}}


def test_a_group_that_fell_is_named_with_both_figures() -> None:
    changes = compared(figures(SCORES), figures([0.8 * each for each in SCORES]))
    said = complaint(changes, "flickr8k", "lite2")
    assert "keywords fell from 0.520 to 0.416" in said
    assert "mixtures" not in said


def test_the_same_and_the_better_pass() -> None:
    assert complaint(compared(figures(SCORES), figures(SCORES)), "drawn", "lite2") == ""
    better = figures([min(1.0, each + 0.1) for each in SCORES])
    assert complaint(compared(figures(SCORES), better), "drawn", "lite2") == ""


def test_other_questions_are_not_compared() -> None:
    with pytest.raises(Refused, match="nothing can be compared"):
        compared(figures(SCORES), figures(SCORES, questions="b"))


def test_the_version_s_own_figures_are_compared_with_if_there_are_any(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    with pytest.raises(Refused, match="has no figures of search on drawn"):
        kept_figures(file, "drawn", "lite2")
    file.write_text(
        json.dumps({"lite2": {"drawn": {"search": {"x": 1}}}, "other": {"drawn": {"search": {}}}})
    )
    assert kept_figures(file, "drawn", "lite2") == ("lite2", {"x": 1})
    assert kept_figures(file, "drawn", "lite3") == ("lite2", {"x": 1})


def test_tables_tell_what_each_signal_contributes() -> None:
    whole = {"keywords": 0.65, "mixtures": 0.5}
    found = {
        "photos": 9,
        "ndcg@10": whole,
        "without": {"tags": {"keywords": 0.6, "mixtures": 0.5}},
    }
    table = all_tables({"lite2": {"drawn": {"ablation": found}}})
    assert "| everything | 0.650 | 0.500 |" in table
    assert "| without tags | −0.050 |  |" in table
