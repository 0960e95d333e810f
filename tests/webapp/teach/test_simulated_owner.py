"""The simulated owner of `benchmark owner`: what they correct, and what is counted."""

import numpy as np
import pytest

from vision.backbones.base import Features
from vision.evaluation.tag_truth import Truth, Written, truth
from webapp.teach.benchmarks._owner_library import Library, own_word
from webapp.teach.benchmarks.owner import MARKED, ROUNDS, corrections, plan_of

WRITTEN = [
    Written(("A brown dog runs on the grass .",), ()),
    Written((), ("snoopy",)),
    Written(("A red car .",), ()),
]


def a_library(written: list[Written]) -> Library:
    own = [own_word(photo) for photo in written]
    facts = truth(written, others=sorted(set(own) - {""}))
    none = np.zeros((len(written), 1), np.float32)
    features = Features(none, none, none, none)
    return Library(features, none, facts, np.ones(facts.shown.shape, bool), own)


def test_a_subject_without_a_word_in_the_vocabulary_is_the_owners_own() -> None:
    assert [own_word(photo) for photo in WRITTEN] == ["", "snoopy", ""]
    assert own_word(Written((), ("airplanes",))) == ""


def test_the_owner_rejects_what_is_wrong_and_adds_the_narrowest_that_is_missing() -> None:
    library = a_library(WRITTEN)
    said = corrections(library, 0, ["cat", "dog"])
    assert said["cat"] is False
    assert "dog" not in said  # it is said already, and so is "animal"
    assert "animal" not in said
    assert said["grass"] is True
    assert corrections(library, 1, []) == {"snoopy": True}
    assert corrections(library, 2, [])["car"] is True
    assert "vehicle" not in corrections(library, 2, [])


def test_no_photo_is_corrected_twice_and_own_things_come_together() -> None:
    library = a_library([Written((), ("snoopy",))] * 20 + [Written(("A dog .",), ())] * 980)
    plan = plan_of(library, seed=1)
    rows = [row for part in plan for row in part]
    assert len(rows) == len(set(rows)) == ROUNDS * 20
    assert sum(library.own[row] == "snoopy" for row in plan[0]) >= MARKED


def test_rates_count_what_is_said_by_what_is_true() -> None:
    library = a_library(WRITTEN)
    perfect = [sorted(_leaves(library.facts, row)) for row in range(3)]
    rates = library.rates(perfect, range(3))
    assert rates["precision"] == rates["recall"] == 1.0
    assert library.rates([[], ["snoopy"], []], range(3))["own_recall"] == 1.0
    assert library.rates([["snoopy"], [], []], range(3))["own_precision"] == 0.0
    assert library.rates([[], ["snoopy"], []], range(3), ["snoopy"])["named_recall"] == 1.0
    assert library.rates([[], ["snoopy"], []], range(3))["named_recall"] == 0.0  # nobody named it
    assert library.rates([["dog"], [], []], [0])["recall"] == pytest.approx(2 / 5, abs=0.21)


def _leaves(facts: Truth, row: int) -> set[str]:
    return {facts.words[number] for number in np.flatnonzero(facts.shown[row])}
