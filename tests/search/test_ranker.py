"""Ranking that learns: features, propensities, training, the gate, files and the order."""

import json
from pathlib import Path

import numpy as np
import pytest

from search import cutoff
from search.errors import RankerDamaged
from search.query import Query
from search.rank import Hit, Signal, last, rank
from search.ranker import files
from search.ranker.features import FUSED, Facts, aligned, describe, log_odds
from search.ranker.judging import judge, reciprocal_ranks
from search.ranker.learning import _lists, _loss, learn
from search.ranker.log import Log, Shown, folds
from search.ranker.network import Network, fused, mean_of
from search.ranker.order import DEPTH, reordered
from search.ranker.propensity import common_law, estimate
from webapp.find.benchmarks._people import RANDOM, TASTES, searches

LIKES_FAVOURITES = TASTES[0]


def some_hits(count: int = 8) -> tuple[list[Hit], dict[int, Facts]]:
    """Hits whose fused order is their ids upwards; every other one is a favourite."""
    scores = {photo: 8.0 - photo for photo in range(count)}
    hits = rank(Query("dog"), [Signal("embedding", scores, lambda _: "")], count)
    return hits, {photo: Facts(age_days=10, is_favourite=photo % 2 == 1) for photo in range(count)}


def a_network(weight: float = 0.0, feature: str = "favourite") -> Network:
    """A network that adds about `weight` to photos with the feature."""
    hits, facts = some_hits()
    names, _ = describe(hits, facts, best=hits[0].score, words=1)
    hidden = np.zeros((len(names), 1))
    hidden[names.index(feature)] = 1.0
    f = len(names)
    return Network(
        tuple(names), np.zeros(f), np.ones(f), hidden, np.zeros(1), np.array([weight / 0.76])
    )


def ids(hits: list[Hit]) -> list[int]:
    return [hit.photo_id for hit in hits]


@pytest.fixture(scope="module")
def log() -> Log:
    return searches(LIKES_FAVOURITES, 400, np.random.default_rng(1))


def test_features_are_found_by_name_and_lacking_ones_are_zero() -> None:
    hits, facts = some_hits(3)
    names, values = describe(hits, facts, best=hits[0].score, words=2)
    wanted = ["favourite", "signal caption", FUSED]
    found = aligned(names, values, wanted)
    assert found[:, 0].tolist() == [0.0, 1.0, 0.0]
    assert found[:, 1].tolist() == [0.0, 0.0, 0.0]
    assert found[:, 2].tolist() == pytest.approx([log_odds(hit.score) for hit in hits])


def test_no_feature_is_named_by_what_somebody_typed() -> None:
    signals = [Signal(name, {1: 1.5}, str) for name in ("fits “my diary”", "more like it", "tags")]
    names, values = describe([Hit(1, 0.5, signals)], {1: Facts(age_days=1)}, best=0.5, words=1)
    row = dict(zip(names, values[0].tolist(), strict=True))
    assert not any("diary" in name for name in names)
    assert (row["signal others"], row["signal tags"]) == (3.0, 1.5)


def test_features_do_not_depend_on_the_place() -> None:
    hits, facts = some_hits(5)
    _, values = describe(hits, facts, best=hits[0].score, words=1)
    _, backwards = describe(hits[::-1], facts, best=hits[0].score, words=1)
    assert np.array_equal(values, backwards[::-1])


def test_an_untaught_network_keeps_the_fused_order() -> None:
    hits, facts = some_hits()
    names, values = describe(hits, facts, best=hits[0].score, words=1)
    network = Network.beginning(names, values, seed=0)
    assert np.array_equal(network.score(names, values), fused(names, values))
    assert ids(reordered(hits, network, facts, confident=5, words=1)) == ids(hits)


def test_the_mean_of_networks_scores_as_they_do_in_the_mean() -> None:
    hits, facts = some_hits()
    names, values = describe(hits, facts, best=hits[0].score, words=1)
    one, other = a_network(2.0), a_network(-1.0)
    expected = (one.score(names, values) + other.score(names, values)) / 2
    assert mean_of([one, other]).score(names, values) == pytest.approx(expected)


def test_photos_change_places_on_their_side_of_the_cut_off_only() -> None:
    hits, facts = some_hits()
    confident = cutoff.confident(hits)
    assert 0 < confident < len(hits)
    learned = reordered(hits, a_network(50.0), facts, confident=confident, words=1)
    liked = {photo for photo, fact in facts.items() if fact.is_favourite}
    before, behind = ids(learned[:confident]), ids(learned[confident:])
    assert set(before) == set(ids(hits[:confident]))
    for side in (before, behind):
        assert [p in liked for p in side] == sorted((p in liked for p in side), reverse=True)
    assert {hit.photo_id: hit.score for hit in learned} == {hit.photo_id: hit.score for hit in hits}
    assert cutoff.confident(learned) == confident


def test_photos_that_vanished_or_lie_too_deep_are_still_there() -> None:
    scores = {photo: 9.0 - photo / 1000 for photo in range(DEPTH + 50)}
    hits = rank(Query("dog"), [Signal("embedding", scores, lambda _: "")], len(scores))
    facts = {p: Facts(age_days=1, is_favourite=p > 100) for p in range(1, DEPTH)}
    learned = reordered(hits, a_network(9.0), facts, confident=len(hits), words=1)
    assert sorted(ids(learned)) == sorted(ids(hits))
    assert ids(learned[DEPTH:]) == ids(hits[DEPTH:])
    assert ids(learned)[DEPTH - 1] == 0  # of which nothing is known


def test_what_was_not_meant_comes_last_and_is_improbable() -> None:
    hits, _ = some_hits(4)
    ordered = last(hits, frozenset({0, 2, 99}))
    assert ids(ordered) == [1, 3, 0, 2]
    assert [hit.score for hit in ordered[2:]] == [0.0, 0.0]


def test_gradients_are_those_of_the_loss(log: Log) -> None:
    """Against differences, with photos that were not meant among the others."""
    lists = [
        Shown(s.query, s.values, s.places, s.gains, (np.arange(len(s.gains)) % 7 == 3))
        for s in log.lists[:20]
    ]
    some = Log(log.names, lists)
    generator = np.random.default_rng(0)
    network = Network.beginning(log.names, log.values, seed=0)
    network = Network.from_json(network.as_json() | {"out": generator.normal(size=16).tolist()})
    padded = _lists(some, network, common_law())
    _, gradients = _loss(network, padded)
    for name, place in (("out", (3,)), ("bias", (5,)), ("hidden", (2, 7))):
        told = []
        for step in (1e-5, -1e-5):
            weights = getattr(network, name).copy()
            weights[place] += step
            moved = Network.from_json(network.as_json() | {name: weights.tolist()})
            told.append(_loss(moved, padded)[0])
        decay = 0.05 * getattr(network, name)[place] if name != "bias" else 0.0
        slope = (told[0] - told[1]) / 2e-5
        assert gradients[name][place] - decay == pytest.approx(slope, rel=1e-3, abs=1e-6)


def test_propensities_are_read_off_the_log() -> None:
    """People look at place k with probability 1 / k; naive shares of clicks would say otherwise,
    since what they want stands further up as well."""
    many = searches(LIKES_FAVOURITES, 1500, np.random.default_rng(3))
    found = estimate(many).at(np.array([0, 1, 2, 4]))
    assert found == pytest.approx([1.0, 0.5, 0.33, 0.2], abs=0.12)


def test_without_choices_a_common_law_is_assumed() -> None:
    assert np.array_equal(estimate(Log(("fused",), [])).looks, common_law().looks)


def test_taste_is_learned(log: Log) -> None:
    learned = learn(log, current=fused)
    assert learned is not None
    assert learned.verdict.is_better
    hits, facts = some_hits(2)
    names, values = describe(hits, facts, best=hits[0].score, words=2)
    gain = learned.network.score(names, values) - fused(names, values)
    assert gain[1] > gain[0]  # the favourite


def test_learning_is_deterministic(log: Log) -> None:
    few = Log(log.names, log.lists[:150])
    first, second = learn(few, current=fused), learn(few, current=fused)
    assert first is not None
    assert second is not None
    assert first.network.as_json() == second.network.as_json()
    assert first.verdict == second.verdict


def test_what_was_marked_as_not_meant_sinks() -> None:
    """Nothing is opened, but screenshots are marked again and again."""
    log = searches(RANDOM, 150, np.random.default_rng(5))
    at = log.names.index("screenshot")
    marked = [
        Shown(s.query, s.values, s.places, np.zeros_like(s.gains), s.values[:, at] > 0)
        for s in log.lists
    ]
    learned = learn(Log(log.names, marked), current=fused)
    assert learned is not None
    values = np.zeros((2, len(log.names)), np.float32)
    values[1, at] = 1.0
    plain, screenshot = learned.network.score(log.names, values)
    assert screenshot < plain
    assert not learned.verdict.is_better  # nothing was chosen by which it could be judged


def test_too_little_is_nothing_to_learn_from(log: Log) -> None:
    assert learn(Log(log.names, []), current=fused) is None
    unopened = [
        Shown(s.query, s.values, s.places, np.zeros_like(s.gains), s.rejected) for s in log.lists
    ]
    assert learn(Log(log.names, unopened), current=fused) is None
    few = learn(Log(log.names, log.lists[:30]), current=fused)
    assert few is None or not few.verdict.is_better


def test_a_query_is_held_out_with_all_that_was_done_about_it(log: Log) -> None:
    twice = Log(log.names, [*log.lists, *log.lists])
    seen: list[str] = []
    for fold in folds(twice):
        parts = [{each.query for each in part.lists} for part in (fold.train, fold.validating)]
        held_out = {each.query for each in fold.held_out.lists}
        assert not held_out & (parts[0] | parts[1])
        assert not parts[0] & parts[1]
        seen += held_out
    assert sorted(seen) == sorted(each.query for each in log.lists)


def test_the_same_order_is_not_better_and_a_worse_one_is_worse(log: Log) -> None:
    same = judge([(log, fused)], common_law(), current=fused)
    assert (same.low, same.high, same.is_better) == (0.0, 0.0, False)
    backwards = judge([(log, lambda n, v: -fused(n, v))], common_law(), current=fused)
    assert backwards.high < 0.0
    assert not backwards.is_better


def test_equals_keep_their_order() -> None:
    assert reciprocal_ranks(np.array([1.0, 3.0, 1.0]), start=1).tolist() == [1 / 3, 1 / 2, 1 / 4]


def test_a_ranker_is_promoted_and_taken_back(tmp_path: Path) -> None:
    assert files.current(tmp_path / "none") is None
    assert files.roll_back(tmp_path) is None
    first = files.promote(tmp_path, a_network(1.0), {"current": 0.1})
    stamp = files.stamp(tmp_path)
    second = files.promote(tmp_path, a_network(2.0), {"current": 0.2})
    assert files.stamp(tmp_path) != stamp
    current = files.current(tmp_path)
    assert current is not None
    assert (current.name, current.figures) == (second, {"current": 0.2})
    assert np.array_equal(current.network.out, a_network(2.0).out)

    assert files.roll_back(tmp_path) == first
    current = files.current(tmp_path)
    assert current is not None
    assert current.name == first
    assert files.roll_back(tmp_path) == ""
    assert files.current(tmp_path) is None


def test_only_the_ranker_before_is_kept(tmp_path: Path) -> None:
    names = [files.promote(tmp_path, a_network(float(n)), {}) for n in range(4)]
    kept = {path.stem for path in tmp_path.glob("*.json")} - {"current"}
    assert kept == set(names[-2:])


@pytest.mark.parametrize("at", [0, 40, 400, -2])
def test_a_damaged_ranker_is_noticed(tmp_path: Path, at: int) -> None:
    name = files.promote(tmp_path, a_network(1.0), {})
    path = tmp_path / f"{name}.json"
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(RankerDamaged):
        files.current(tmp_path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(RankerDamaged):
        files.current(tmp_path)
    path.unlink()
    with pytest.raises(RankerDamaged):
        files.current(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x"}', "\x00"])
def test_a_damaged_entry_is_noticed_and_replaced_by_the_next(tmp_path: Path, text: str) -> None:
    (tmp_path / files.CURRENT).write_text(text)
    with pytest.raises(RankerDamaged):
        files.current(tmp_path)
    name = files.promote(tmp_path, a_network(1.0), {})
    current = files.current(tmp_path)
    assert current is not None
    assert current.name == name


@pytest.mark.parametrize(
    "change",
    [{"out": [1.0, 2.0]}, {"format": 2}, {"mean": "x"}, {"bias": [float("nan")]}, {"names": []}],
)
def test_weights_that_do_not_fit_are_refused(change: dict[str, object]) -> None:
    read = json.loads(json.dumps(a_network(1.0).as_json() | change))
    with pytest.raises(RankerDamaged):
        Network.from_json(read)
