"""A tag from examples: the line, what is asked next, and what is said about how good it is."""

import numpy as np
import pytest

from search.teaching import line as lines
from search.teaching.asking import LEAST_BAND, How, Ranked, next_questions, reach
from search.teaching.judging import Answers, Quality, in_words, judge
from search.teaching.line import Lesson, Line, folds, learn

CHANCE = np.random.default_rng(0)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def a_lesson(shown: int = 8, others: int = 8, presumed: int = 60, *, width: int = 64) -> Lesson:
    """Photos that show it lie in one direction; the others anywhere."""
    direction = unit(CHANCE.normal(size=width))
    like = unit(direction + 0.08 * CHANCE.normal(size=(shown, width)))
    unlike = unit(CHANCE.normal(size=(others, width)))
    shows = np.arange(shown + others) < shown
    rest = unit(CHANCE.normal(size=(presumed, width)))
    return Lesson(np.concatenate([like, unlike]), shows, rest)


FIVE_OF_TEN = np.arange(10) < 5


def test_a_line_separates_what_can_be_separated() -> None:
    lesson = a_lesson()
    log_odds = learn(lesson).line.log_odds(lesson.answered)
    assert ((log_odds > 0) == lesson.shows).all()


def test_held_out_log_odds_know_nothing_of_their_own_answer() -> None:
    """With answers by the toss of a coin, a line fits those it saw and not those it did not."""
    vectors = unit(CHANCE.normal(size=(60, 128)))
    shows = np.arange(60) % 2 == 0
    learnt = learn(Lesson(vectors, shows, np.zeros((0, 128), np.float32)))
    assert np.mean((learnt.line.log_odds(vectors) > 0) == shows) > 0.95
    assert np.mean((learnt.held_out > 0) == shows) < 0.7


def test_few_rows_are_fitted_in_fewer_columns_to_the_same_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lesson = a_lesson(presumed=20, width=128)  # 36 rows
    thin = learn(lesson)
    monkeypatch.setattr(lines, "_fewest_columns", lambda rows: (rows, np.eye(rows.shape[1])))
    full = learn(lesson)
    assert thin.line.weights == pytest.approx(full.line.weights, abs=1e-3)
    assert thin.held_out == pytest.approx(full.held_out, abs=1e-3)


def test_a_line_is_the_same_after_storage() -> None:
    line = learn(a_lesson()).line
    again = Line.from_bytes(line.as_bytes())
    assert (again.weights == line.weights).all()
    assert again.bias == pytest.approx(line.bias)


def test_each_kind_of_answer_is_in_every_fold() -> None:
    shows = np.array([True] * 7 + [False] * 12)
    fold = folds(shows)
    for kind in (True, False):
        assert set(fold[shows == kind]) == set(range(lines.FOLDS))


def ranked(count: int = 400, tagged: int = 100) -> Ranked:
    log_odds = np.linspace(4, -12, count, dtype=np.float32)
    return Ranked(np.arange(count), log_odds - log_odds[tagged - 1])


def test_a_round_asks_the_nearest_and_some_at_random_on_both_sides() -> None:
    photos = ranked()
    questions = next_questions(photos, np.random.default_rng(1))
    by_how = {how: [q for q in questions if q.how == how] for how in How}
    assert {q.photo_id for q in by_how[How.UNSURE]} <= {98, 99, 100, 101}
    (likely,), (missed,) = by_how[How.LIKELY], by_how[How.MISSED]
    assert likely.photo_id < photos.tagged
    assert photos.tagged <= missed.photo_id < photos.tagged + max(LEAST_BAND, photos.tagged)
    assert likely.chance == pytest.approx(1 / 98, abs=0.001)
    assert len({q.photo_id for q in questions}) == len(questions)


def test_the_line_is_lowered_to_where_photos_drawn_at_random_mostly_show_it() -> None:
    held_out = np.array([2.0, -0.5, -1.0, -2.0, -3.0, -4.0])
    how = np.array([str(How.EXAMPLE), *[str(How.MISSED)] * 4, str(How.UNSURE)])
    frequent = np.array([True, True, True, True, False, True])
    assert reach(held_out, frequent, how) == -2.0
    assert reach(held_out, np.array([True, False, True, False, False, True]), how) == 0.0
    assert reach(held_out[:1], frequent[:1], how[:1]) == 0.0


def test_a_lowered_line_judges_by_the_same_log_odds() -> None:
    lesson = a_lesson()
    learnt = learn(lesson)
    lowered = learnt.lowered(-1.5)
    before, after = (each.line.log_odds(lesson.answered) for each in (learnt, lowered))
    assert after == pytest.approx(before + 1.5, abs=1e-4)
    assert lowered.held_out == pytest.approx(learnt.held_out + 1.5)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_where_little_is_left_little_is_asked(count: int) -> None:
    left = Ranked(np.arange(count), np.linspace(1, -1, count, dtype=np.float32))
    assert len(next_questions(left, np.random.default_rng(0))) == count


def test_what_is_said_is_true_on_average_whatever_was_asked_beside() -> None:
    """Of what is tagged 80 % is right, but none of the uncertain ones are."""
    photos = ranked()
    shows = np.random.default_rng(2).random(400) < np.where(np.arange(400) < 100, 0.8, 0.05)
    said = [judged(photos, shows, seed) for seed in range(60)]
    assert np.mean([each.precision for each in said]) == pytest.approx(shows[:100].mean(), abs=0.04)
    hits, misses = shows[:100].sum(), shows[100:200].sum()
    assert np.mean([each.recall for each in said]) == pytest.approx(
        hits / (hits + misses), abs=0.05
    )


def judged(photos: Ranked, shows: np.ndarray, seed: int) -> Quality:
    """By 12 answers drawn at random on each side and ten that were uncertain, all of them wrong."""
    chance = np.random.default_rng(seed)
    likely, missed = chance.choice(100, 12, replace=False), 100 + chance.choice(100, 12)
    ids = np.concatenate([likely, missed, np.arange(95, 105)])
    how = [How.LIKELY] * 12 + [How.MISSED] * 12 + [How.UNSURE] * 10
    answers = Answers(
        shows=np.concatenate([shows[likely], shows[missed], np.zeros(10, bool)]),
        how=np.array([str(each) for each in how]),
        chance=np.array([0.12] * 24 + [1.0] * 10),
        held_out=photos.log_odds[ids].astype(float),
    )
    return judge(answers, photos)


def test_no_more_is_said_to_be_found_than_of_the_examples_themselves() -> None:
    """Of a tag on a third of all photos the answers near the line tell nothing about the rest."""
    photos = ranked()
    examples = Answers(
        shows=np.ones(9, bool),
        how=np.array([str(How.EXAMPLE)] * 5 + [str(How.LIKELY)] * 4),
        chance=np.full(9, 0.1),
        held_out=np.array([1.0, -1.0, -1.0, -1.0, -1.0, 2.0, 2.0, 2.0, 2.0]),
    )
    assert judge(examples, photos).recall <= 2 / 6


def test_presumed_negatives_that_show_the_tag_hide_less_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tenth of what is presumed not to show it does; beside, what counting all alike finds."""
    weighed, wrong = np.mean([found_of_two_clouds(seed) for seed in range(5)], axis=0)
    monkeypatch.setattr(lines, "DOUBTS", 0)
    alike, _ = np.mean([found_of_two_clouds(seed) for seed in range(5)], axis=0)
    assert weighed > 1.2 * alike
    assert wrong < 0.02


def found_of_two_clouds(seed: int) -> tuple[float, float]:
    """Of what shows the tag and of what does not, the share that five examples of each tag."""
    chance, centre = np.random.default_rng(seed), 2 * np.eye(16)[0]
    of_it = (chance.normal(size=(335, 16)) + centre).astype(np.float32)
    others = (chance.normal(size=(575, 16)) - centre).astype(np.float32)
    presumed = np.concatenate([of_it[:30], others[:270]])
    learnt = learn(Lesson(np.concatenate([of_it[30:35], others[270:275]]), FIVE_OF_TEN, presumed))
    of_it, others = learnt.line.log_odds(of_it[35:]), learnt.line.log_odds(others[275:])
    return float((of_it >= 0).mean()), float((others >= 0).mean())


def test_without_random_answers_it_is_a_rough_guess() -> None:
    answers = Answers(
        shows=np.ones(5, bool),
        how=np.array([str(How.EXAMPLE)] * 5),
        chance=np.ones(5),
        held_out=np.full(5, 2.0),
    )
    quality = judge(answers, ranked())
    assert quality.is_rough
    assert quality.answers == 0
    assert in_words(quality) == "is too early to judge"


@pytest.mark.parametrize(
    ("precision", "recall", "words"),
    [
        (0.915, 0.9, "finds about 9 of 10, about 1 in 12 is wrong"),
        (0.99, 0.97, "finds nearly all, hardly any is wrong"),
        (0.5, 0.04, "finds about 1 of 10, about half of it is wrong"),
        (0.2, 0.5, "finds about 5 of 10, most of it is wrong"),
        (0.65, 0.5, "finds about 5 of 10, about 1 in 3 is wrong"),
    ],
)
def test_figures_are_told_in_words(precision: float, recall: float, words: str) -> None:
    assert in_words(Quality(precision, recall, tagged=10, answers=20)) == words
