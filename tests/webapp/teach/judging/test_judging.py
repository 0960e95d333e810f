"""The gate: what must never be put to work, what is worse beyond luck, and what passes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.factories import a_photo, a_sight, a_user, an_embedding
from tests.webapp.teach.switching.twins import a_twin
from vision.sight import Image
from vision.sight import Sight as Seen
from webapp.accounts.models import User
from webapp.errors import Refused
from webapp.find.query.embedding import embed_query
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag, reject_tag
from webapp.teach.judging import sample as samples
from webapp.teach.judging.bootstrap import interval
from webapp.teach.judging.measures import measures
from webapp.teach.judging.sample import Said, Sample, held_out_sample
from webapp.teach.judging.seen import SeenBy
from webapp.teach.judging.soundness import unsound
from webapp.teach.judging.verdicts import check_gate, judge, latest_verdict
from webapp.teach.models import ModelVersion
from webapp.teach.runs import holdout
from webapp.teach.switching import activating
from webapp.teach.switching.models import Activation, Verdict
from webapp.teach.versions.active import active_version

pytestmark = pytest.mark.django_db

WORDS = ("dog", "cat", "boat", "car", "tree", "house", "bridge", "horse", "train", "flower")
PHOTOS = 40


def silent(step: str, done: int, total: int) -> None:
    pass


@pytest.fixture
def good() -> SeenBy:
    """A version that sees one thing in each photo, and is right."""
    words = [WORDS[row % len(WORDS)] for row in range(PHOTOS)]
    version = active_version()
    noise = np.random.default_rng(0).normal(scale=0.01, size=(PHOTOS, 512))
    vectors = np.stack([embed_query(version, f"a {word}") for word in words]) + noise
    return SeenBy(
        version,
        tuple(range(1, PHOTOS + 1)),
        (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        tuple({word: 0.9} for word in words),
        tuple(f"a {word}" for word in words),
    )


def shuffled(rows: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(rows[row] for row in np.random.default_rng(1).permutation(len(rows)))


def not_numbers(seen: SeenBy) -> SeenBy:
    vectors = seen.embeddings.copy()
    vectors[3] = np.nan
    return replace(seen, embeddings=vectors)


SPOILT: dict[str, tuple[Callable[[SeenBy], SeenBy], str]] = {
    "NaN": (not_numbers, "not numbers"),
    "NaN probability": (lambda s: replace(s, tags=({"dog": float("nan")},) * len(s)), "not number"),
    "no unit length": (lambda s: replace(s, embeddings=s.embeddings * 3), "unit length"),
    "probability 2": (lambda s: replace(s, tags=({"dog": 2.0},) * len(s)), "outside 0 to 1"),
    "one embedding": (
        lambda s: replace(s, embeddings=np.repeat(s.embeddings[:1], len(s), axis=0)),
        "collapsed",
    ),
    "one tag": (lambda s: replace(s, tags=({"dog": 0.9},) * len(s)), "collapsed to one class"),
    "no tag": (lambda s: replace(s, tags=({},) * len(s)), "no photo any tags"),
    "one caption": (lambda s: replace(s, captions=("a dog",) * len(s)), "same caption"),
    "shuffled tags": (lambda s: replace(s, tags=shuffled(s.tags)), "shuffled labels"),
    "shuffled captions": (lambda s: replace(s, captions=shuffled(s.captions)), "shuffled labels"),
    "shuffled embeddings": (
        lambda s: replace(s, embeddings=np.stack(shuffled(s.embeddings))),
        "no better than by chance",
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_version_is_unfit_and_the_reason_is_said(good: SeenBy, how: str) -> None:
    spoil, reason = SPOILT[how]
    assert any(reason in said for said in unsound(good, spoil(good), {}))


def test_a_version_that_sees_the_same_is_sound(good: SeenBy) -> None:
    assert unsound(good, good, {}) == []


def test_a_version_with_other_words_altogether_is_sound(good: SeenBy) -> None:
    other = tuple({f"other {name}": 0.9 for name in tags} for tags in good.tags)
    assert unsound(good, replace(good, tags=other), {}) == []


@pytest.mark.parametrize(("right", "is_sound"), [(0.13, False), (0.9, True)])
def test_what_training_held_out_shows_labels_that_were_shuffled(
    good: SeenBy, right: float, is_sound: bool
) -> None:
    figures = {"evaluation": {"top-1": {"value": right, "chance": 0.1, "n": 200}}}
    assert (unsound(good, good, figures) == []) == is_sound


@pytest.mark.parametrize(("right", "is_sound"), [(0.52, False), (0.8, True)])
def test_a_classifier_that_always_says_the_commonest_class_is_unfit(
    good: SeenBy, right: float, is_sound: bool
) -> None:
    classes = {"granite": {"photos": 50}, "slate": {"photos": 50}}
    figures = {"classifiers": {"rocks": {"top1": right, "photos": 100, "by_class": classes}}}
    assert (unsound(good, good, figures) == []) == is_sound


@pytest.mark.parametrize(
    "metrics",
    [[], 5, {"evaluation": []}, {"evaluation": {"x": 5}}, {"evaluation": {"x": {"value": "1"}}},
     {"classifiers": {"x": {"top1": 0.5, "photos": 3, "by_class": []}}}],
)  # fmt: skip
def test_metrics_that_say_nothing_usable_are_passed_over(good: SeenBy, metrics: object) -> None:
    assert unsound(good, good, metrics) == []


def said_of(seen: SeenBy) -> Sample:
    """People's words: each photo's own tag, and a caption."""
    rows = list(zip(seen.photo_ids, seen.tags, strict=True))
    return Sample(
        seen.photo_ids,
        tuple(Said(pk, tag, True) for pk, tags in rows for tag in tags),
        dict(zip(seen.photo_ids, seen.captions, strict=True)),
    )


def worse_than(good: SeenBy, other: SeenBy) -> set[str]:
    return {each.name for each in measures(good, other, said_of(good)) if each.is_worse}


def test_worse_beyond_luck_is_named_by_what_is_worse(good: SeenBy) -> None:
    half = tuple(tags if row % 2 else {"car": 0.9} for row, tags in enumerate(good.tags))
    assert worse_than(good, good) == set()
    assert worse_than(good, replace(good, tags=half)) == {"tags"}


def test_one_wrong_photo_of_forty_is_luck(good: SeenBy) -> None:
    tags = ({"zebra": 0.9}, *good.tags[1:])
    assert worse_than(good, replace(good, tags=tags)) == set()


def test_an_interval_holds_the_mean_and_narrows_with_more() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    few, many = interval(values[:50]), interval(values)
    assert few.low < few.mean < few.high
    assert many.high - many.low < few.high - few.low


# In the database: the photos, the verdict, the gate.


class Spoilt:
    """Something that looks, and gives every photo the same."""

    input_size = 64

    def look(self, images: Sequence[Image]) -> list[Seen]:
        return [Seen(an_embedding(1), [("dog", 0.9)], "a dog", 0.9) for _ in images]


@pytest.fixture
def ana() -> User:
    return a_user("ana")


@pytest.fixture
def another(tmp_path: Path) -> ModelVersion:
    folder = str(a_twin(tmp_path / "another"))
    return ModelVersion.objects.create(name="another", folder=folder)


@pytest.fixture
def library(ana: User, monkeypatch: pytest.MonkeyPatch) -> list[Photo]:
    """Photos of several things, all of them held out."""
    monkeypatch.setattr(samples, "is_held_out", lambda sha256: True)
    photos = []
    for row in range(24):
        word = WORDS[row % len(WORDS)]
        photo = a_photo(ana, with_thumbnails=False)
        embedding = embed_query(active_version(), f"a {word}")
        a_sight(photo, embedding=embedding, tags=[(word, 0.9)], caption=f"a {word}")
        photos.append(photo)
    return photos


def test_only_held_out_photos_are_judged_by(ana: User) -> None:
    for _ in range(12):
        a_sight(a_photo(ana, with_thumbnails=False))
    held_out = {p.pk for p in Photo.objects.all() if holdout.is_held_out(p.sha256)}
    assert set(held_out_sample(active_version()).photo_ids) == held_out


def test_what_people_said_comes_first_where_there_are_many(
    ana: User, library: list[Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "MOST", 3)
    spoken = library[-1]
    add_tag(ana, Photo.objects.filter(pk=spoken.pk), "miso")
    reject_tag(ana, Photo.objects.filter(pk=spoken.pk), "cat")
    sample = held_out_sample(active_version())
    assert spoken.pk in sample.photo_ids
    assert {(word.tag, word.is_there) for word in sample.said} == {("miso", True), ("cat", False)}


def test_a_collapsed_version_is_not_put_to_work_whatever_reason_is_given(
    library: list[Photo], another: ModelVersion
) -> None:
    with pytest.raises(Refused, match=r"must not be put to work.*collapsed"):
        activating.activate(another, Spoilt, tell=silent, reason="I want it all the same")
    assert active_version() != another
    assert not Activation.objects.exists()


def worse(version: ModelVersion) -> Verdict:
    """A verdict as `judge` leaves it."""
    verdict = judge(version, Spoilt, tell=silent)
    verdict.outcome, verdict.reasons = Verdict.Outcome.WORSE, ["Its tags are worse."]
    verdict.save()
    return verdict


@pytest.mark.parametrize("reason", ["", "because", "          "])
def test_a_worse_version_needs_a_typed_reason(another: ModelVersion, reason: str) -> None:
    worse(another)
    with pytest.raises(Refused, match=r"Its tags are worse\. An administrator may"):
        check_gate(another, reason)


def test_who_overrode_the_gate_and_why_is_kept(ana: User, another: ModelVersion) -> None:
    a_sight(a_photo(ana))
    activating.make_ready(another, Spoilt, tell=silent)
    worse(another)
    why = "It knows our boat, which counts more."
    assert activating.switch(another, user=ana, reason=why)
    row = Activation.objects.get()
    assert (row.user, row.reason, row.name) == (ana, why, "another")


def test_nothing_is_switched_to_that_was_not_judged(ana: User, another: ModelVersion) -> None:
    a_sight(a_photo(ana))
    activating.make_ready(another, Spoilt, tell=silent)
    with pytest.raises(Refused, match="has not been judged"):
        activating.switch(another)


def test_a_verdict_is_of_the_very_weights(another: ModelVersion, tmp_path: Any) -> None:
    judge(another, Spoilt, tell=silent)
    assert latest_verdict(another, active_version())
    (tmp_path / "manifest.json").write_text("{}")
    another.folder = str(tmp_path)
    assert latest_verdict(another, active_version()) is None


def test_what_was_looked_at_for_the_verdict_is_not_looked_at_again(
    library: list[Photo], another: ModelVersion
) -> None:
    judge(another, Spoilt, tell=silent)

    def nothing() -> Spoilt:
        raise AssertionError("it has looked at everything")

    judge(another, nothing, tell=silent)
