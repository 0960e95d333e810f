"""Which words are said of a photo: no hurtful ones on people, no broader ones beside narrow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.heads.colours import COLOURS, colour_probabilities
from vision.heads.saying import Rules, lift_broader

WORDS = ("person", "animal", "dog", "pug", "gorilla", "beach")
BROADER = (-1, -1, 1, 2, 1, -1)


def rules(**changes: object) -> Rules:
    settings: dict = {
        "words": WORDS,
        "broader": BROADER,
        "thresholds": np.full(len(WORDS), 0.8, np.float32),
        "hurtful": np.array([word == "gorilla" for word in WORDS]),
        "people": np.array([word == "person" for word in WORDS]),
        "person_likely": 0.1,
        "most": 8,
    }
    return Rules(**(settings | changes))


def said(own: Rules, **probable: float) -> list[str]:
    row = np.array([[probable.get(word, 0.0) for word in WORDS]], np.float32)
    return [word for word, _ in own.said(row)[0]]


def test_words_above_their_threshold_are_said_likeliest_first() -> None:
    assert said(rules(), beach=0.85, person=0.95, dog=0.5) == ["person", "beach"]


def test_a_broader_word_is_left_out_beside_a_narrower_one() -> None:
    assert said(rules(), animal=0.99, dog=0.95, pug=0.5) == ["dog"]
    assert said(rules(), animal=0.99, dog=0.7) == ["animal"]


def test_an_animal_is_never_said_where_a_person_may_be() -> None:
    assert said(rules(), gorilla=0.99) == ["gorilla"]
    assert "gorilla" not in said(rules(), gorilla=0.99, person=0.2)
    assert "gorilla" in said(rules().without_mercy(), gorilla=0.99, person=0.2)


def test_what_stays_unsaid_is_no_reason_to_leave_out_its_broader_word() -> None:
    assert said(rules(), gorilla=0.99, animal=0.9, person=0.2) == ["animal"]


def test_a_photo_is_in_doubt_when_a_shown_word_is_near_its_threshold() -> None:
    own = rules(thresholds=np.full(len(rules().words), 0.5, np.float32))
    words = len(own.words)
    near, far = np.full((2, words), 0.01, np.float32)
    near[0], far[0] = 0.52, 0.7
    assert own.doubtful(np.stack([near, far]), 0.1).tolist() == [True, False]
    assert own.doubtful(np.stack([near, far]), 0.0).tolist() == [False, False]


def test_no_more_words_than_allowed() -> None:
    assert said(rules(most=1), beach=0.85, person=0.95) == ["person"]


@given(st.lists(st.floats(0, 1), min_size=len(WORDS), max_size=len(WORDS)))
def test_lifted_words_are_at_least_as_likely_as_narrower_ones(row: list[float]) -> None:
    lifted = lift_broader(np.array([row], np.float32), BROADER)[0]
    assert all(lifted[above] >= lifted[own] for own, above in enumerate(BROADER) if above >= 0)
    assert (lifted >= np.array(row, np.float32)).all()


@pytest.mark.parametrize(
    ("rgb", "colour"),
    [
        ((200, 20, 20), "red"),
        ((30, 160, 40), "green"),
        ((40, 90, 200), "blue"),
        ((230, 210, 40), "yellow"),
        ((120, 40, 190), "purple"),
        ((240, 110, 190), "pink"),
        ((5, 5, 8), "dark"),
        ((250, 250, 250), "bright"),
    ],
)
def test_a_photo_of_one_colour_is_of_that_colour(rgb: tuple[int, int, int], colour: str) -> None:
    photo = np.tile(np.array(rgb, np.uint8), (1, 40, 40, 1))
    (sure,) = colour_probabilities(photo)
    assert sure[COLOURS.index(colour)] > 0.9
    vivid = {"red", "green", "blue", "yellow", "purple", "pink"} - {colour}
    assert all(sure[COLOURS.index(other)] < 0.1 for other in vivid)


def test_a_grey_gradient_is_black_and_white_and_a_red_spot_makes_it_none() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    photo = np.broadcast_to(ramp[None, :, None], (64, 64, 3)).copy()
    spotted = photo.copy()
    spotted[20:40, 20:40] = (200, 20, 20)
    sure = colour_probabilities(np.stack([photo, spotted]))[:, COLOURS.index("black and white")]
    assert sure[0] > 0.9
    assert sure[1] < 0.1
