"""The relevance test set: what it asks and holds for right, and that search is asked as it runs."""

from collections import Counter

import numpy as np
import pytest

from tests.factories import a_user
from vision.evaluation.tag_truth import Written
from vision.sight import Sight
from webapp.accounts.models import User
from webapp.find.query.embedding import embed_query
from webapp.find.query.understanding import understand
from webapp.find.relevance.asking import PARTS, ablation, fingerprint, relevance
from webapp.find.relevance.given import give
from webapp.find.relevance.judging import Judgements
from webapp.find.relevance.library import fill
from webapp.find.relevance.questions import Question, questions
from webapp.find.services import matching_photos
from webapp.teach.services import active_version

THINGS = ("dog", "cat", "horse", "bicycle")
PHOTOS = [f"{number}.jpg" for number in range(120)]
GIVEN = [give(name) for name in PHOTOS]


def captions_of(number: int) -> tuple[str, ...]:
    """Everybody names the thing; a ball is on each third photo, and each fifth time one alone
    mentions it."""
    thing = THINGS[number % len(THINGS)]
    ball = " with a ball" if number % 3 == 0 else ""
    once = " near a ball" if number % 5 == 1 else ""
    return (f"a {thing}{ball}", f"one {thing}{ball}", f"some {thing}{ball}{once}")


@pytest.fixture(scope="module")
def judgements() -> Judgements:
    return Judgements([Written(captions_of(number)) for number in range(len(PHOTOS))])


@pytest.fixture(scope="module")
def asked(judgements: Judgements) -> list[Question]:
    return questions(judgements, GIVEN)


def by_text(asked: list[Question], text: str) -> Question:
    return next(each for each in asked if each.text == text)


def test_what_a_photo_is_given_follows_from_its_name_alone() -> None:
    assert [give(name) for name in PHOTOS] == GIVEN
    for what in ("camera", "place", "tag", "album", "sign", "event"):
        counts = Counter(getattr(photo, what) for photo in GIVEN)
        assert len(counts) > 2
        assert max(counts.values()) < len(PHOTOS)


def test_every_group_is_asked_and_every_question_has_an_answer(asked: list[Question]) -> None:
    counts = Counter(each.group for each in asked)
    assert set(counts) >= {"sentences", "keywords", "conditions", "negations", "mixtures"}
    assert counts["conditions"] >= 20
    assert all(3 in each.grades.values() for each in asked)


def test_a_word_is_graded_by_how_many_name_it(asked: list[Question]) -> None:
    ball = by_text(asked, "ball").grades
    assert {ball.get(place) for place in range(0, 120, 3)} == {3}
    assert ball.get(1) == 1  # of one caption alone
    assert ball.get(2) is None


def test_right_under_a_condition_is_what_satisfies_it(asked: list[Question]) -> None:
    conditions = [each for each in asked if each.group == "conditions"]
    in_2019 = [each for each in conditions if each.text.endswith(" in 2019")]
    assert in_2019
    for each in in_2019:
        assert all(GIVEN[place].taken_at.year == 2019 for place in each.grades)


def test_what_should_not_be_there_is_not_right(
    judgements: Judgements, asked: list[Question]
) -> None:
    absent = [each for each in asked if each.group == "negations"]
    endings = ("without ball", "-ball", "not ball")
    no_ball = [q for q in absent if q.text.endswith(endings) or q.text.startswith("no ball")]
    ball = judgements.judged("ball")
    assert no_ball
    for each in no_ball:
        assert not ball.relevant & each.grades.keys()
        assert {each.grades[place] for place in ball.unclear & each.grades.keys()} <= {1}


def test_other_grades_are_another_test_set(asked: list[Question]) -> None:
    first, *rest = asked
    assert fingerprint(asked) == fingerprint([*asked])
    assert fingerprint(asked) != fingerprint([Question(first.group, first.text, {0: 1}), *rest])


@pytest.mark.django_db
def test_search_is_asked_as_it_runs_and_without_each_signal(judgements: Judgements) -> None:
    user, version = a_user(), active_version()
    ids = fill(user, version, [_seen(number) for number in range(len(PHOTOS))], GIVEN)
    asked = _few(questions(judgements, GIVEN))
    figures = relevance(user, asked, ids)
    assert set(figures["ndcg@10"]) == {each.group for each in asked}
    assert figures["ndcg@10"]["conditions"] > 0.8  # the look is the word's own
    assert sum(map(len, figures["scores"].values())) == len(asked)

    without = ablation(user, asked, ids)
    assert without["ndcg@10"] == figures["ndcg@10"]
    assert set(without["without"]) == set(PARTS)
    lost = {
        name: figures["ndcg@10"]["conditions"] - means["conditions"]
        for name, means in without["without"].items()
    }
    assert lost["dates"] > 0.05
    assert lost["file names"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.django_db
def test_a_library_has_what_its_photos_are_given() -> None:
    user, version = a_user(), active_version()
    ids = fill(user, version, [_seen(number) for number in range(30)], GIVEN[:30])
    for query, holds in (
        ("place:italy", lambda each: each.place[2] == "Italy"),
        ("album:Erasmus", lambda each: each.album == "Erasmus"),
        ('tag:"for the calendar"', lambda each: each.tag == "for the calendar"),
        ("has:text", lambda each: bool(each.sign)),
        ("camera:nikon", lambda each: each.camera.startswith("NIKON")),
    ):
        assert _found(user, query) == {ids[n] for n in range(30) if holds(GIVEN[n])}, query


def _found(user: User, text: str) -> set[int]:
    return set(matching_photos(user, understand(user, text)).values_list("pk", flat=True))


def _seen(number: int) -> Sight:
    """A photo that looks like the word for what is on it, and a little like others."""
    vector = embed_query(active_version(), THINGS[number % len(THINGS)])
    noise = np.random.default_rng(number).normal(size=len(vector)) / len(vector) ** 0.5
    vector = vector + 0.2 * noise
    return Sight(
        embedding=(vector / np.linalg.norm(vector)).astype(np.float32),
        tags=[],
        caption="",
        caption_confidence=0.0,
    )


def _few(asked: list[Question]) -> list[Question]:
    """Of each group the first eight."""
    numbers: Counter[str] = Counter()
    kept = []
    for each in asked:
        numbers[each.group] += 1
        if numbers[each.group] <= 8:
            kept.append(each)
    return kept
