"""Training that does not wait for stragglers, with real processes that are late, or die."""

from collections import Counter

import pytest

from tests.vision.training.distributed.crews import (
    Dies,
    Straggles,
    Trained,
    die,
    in_large_batches,
    piece_by_piece,
    train,
)
from vision.errors import TrainingError
from vision.training.distributed.backup import Plan
from vision.training.distributed.launch import together
from vision.training.distributed.pieces import Deck, Pieces

pytestmark = pytest.mark.processes

NOBODY = Straggles(worker=-1, step=None, seconds=0)
PATIENCE_S = 60


def run(plan: Plan, hindrance: Straggles | Dies = NOBODY, *, workers: int = 3) -> Trained:
    trained = together(1 + workers, train, plan, hindrance, patience_s=PATIENCE_S)
    assert trained is not None
    return trained


def test_a_step_is_that_of_one_process_with_a_large_batch() -> None:
    outcome, weights = run(Plan(steps=6, take=3))
    assert [step.pieces for step in outcome.steps] == [
        tuple(range(first, first + 3)) for first in range(0, 18, 3)
    ]
    assert weights == pytest.approx(in_large_batches(outcome), abs=1e-6)
    assert weights == piece_by_piece(outcome), "to the last bit, whoever was first"
    assert outcome.dropped == 0
    assert outcome.steps[-1].loss < outcome.steps[0].loss


def test_nobody_waits_for_a_straggler_and_its_piece_is_dealt_again() -> None:
    straggles = Straggles(worker=2, step=1, seconds=0.5)
    outcome, weights = run(Plan(steps=400, take=2), straggles)
    assert {len(step.pieces) for step in outcome.steps} == {2}
    assert {late for step in outcome.steps for late in step.staleness} == {0}
    assert outcome.dropped > 0
    uses = Counter(piece for step in outcome.steps for piece in step.pieces)
    assert set(uses.values()) == {1}, "no gradient counts twice"
    left_out = set(range(max(uses))) - uses.keys()
    assert left_out <= set(outcome.unfinished), "what was dropped was dealt again"
    assert weights == piece_by_piece(outcome)


def test_a_dead_worker_is_done_without() -> None:
    outcome, weights = run(Plan(steps=20, take=2), Dies(workers=(2,), step=4))
    assert outcome.lost_workers == [2]
    assert len(outcome.steps) == 20
    assert weights == piece_by_piece(outcome)
    used = {piece for step in outcome.steps for piece in step.pieces}
    assert set(range(max(used))) - used <= set(outcome.unfinished), "what it had was dealt again"


def test_training_ends_with_a_reason_when_too_few_are_left() -> None:
    reason = "1 workers are there, and each step needs the gradients of 2"
    with pytest.raises(TrainingError, match=reason):
        run(Plan(steps=20, take=2), Dies(workers=(1, 3), step=4))


def test_the_death_of_the_coordinator_is_told() -> None:
    with pytest.raises(TrainingError, match="The process that coordinates the training died"):
        together(1, die, patience_s=PATIENCE_S)


def test_nobody_waits_forever() -> None:
    asleep = Straggles(worker=1, step=2, seconds=PATIENCE_S)
    with pytest.raises(TrainingError, match="No worker was heard of for 3 seconds at step 2"):
        run(Plan(steps=5, take=3, patience_s=3), asleep)


def test_asynchronous_training_takes_what_comes_and_says_how_old_it_was() -> None:
    outcome, _ = run(Plan(steps=60, take=1, takes_stale=True))
    assert {len(step.pieces) for step in outcome.steps} == {1}
    assert outcome.dropped == 0
    staleness = [late for step in outcome.steps for late in step.staleness]
    assert max(staleness) >= 1
    losses = [step.loss for step in outcome.steps]
    assert sum(losses[-10:]) < sum(losses[:10])


def test_an_epoch_has_every_row_once_in_an_order_of_its_own() -> None:
    pieces = Pieces(rows=20, size=6, seed=1)
    first, second = (
        [row for piece in range(start, start + 3) for row in pieces[piece]] for start in (0, 3)
    )
    assert len(set(first)) == len(set(second)) == 18
    assert first != second
    assert (pieces[4] == Pieces(rows=20, size=6, seed=1)[4]).all()


def test_a_piece_that_was_given_back_is_dealt_next() -> None:
    deck = Deck()
    assert [deck.deal() for _ in range(4)] == [0, 1, 2, 3]
    deck.give_back(3)
    deck.give_back(1)
    assert [deck.deal() for _ in range(3)] == [1, 3, 4]
