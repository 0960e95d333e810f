"""The reward of self-critical training is the metric that captions are judged by."""

import numpy as np
import pytest

from vision.evaluation.caption_metrics import cider_d
from vision.training.captions.rewards import CiderReward


def test_the_reward_equals_cider_d() -> None:
    rng = np.random.default_rng(7)

    def sentence() -> list[int]:
        return rng.integers(0, 12, size=rng.integers(1, 9)).tolist()

    references = [[sentence() for _ in range(4)] for _ in range(30)]
    said = [sentence() for _ in range(30)]
    reward = CiderReward(references)
    _, expected = cider_d(
        [[str(w) for w in s] for s in said],
        [[[str(w) for w in r] for r in own] for own in references],
    )
    assert [reward(row, own) for row, own in enumerate(said)] == pytest.approx(expected)


def test_an_ngram_that_no_reference_has_still_lengthens_the_sentence() -> None:
    reward = CiderReward([[[1, 2, 3, 0]], [[4, 5, 0]]])
    assert reward(0, [1, 2, 3, 0]) == pytest.approx(10.0)
    assert reward(0, [1, 2, 9, 0]) < reward(0, [1, 2, 0]) < 10.0


def test_large_word_numbers_do_not_run_into_each_other() -> None:
    reward = CiderReward([[[8191, 8190, 1, 0]], [[3, 3, 3, 0]]])
    assert reward(0, [8191, 8190, 1, 0]) == pytest.approx(10.0)
    assert reward(0, [8190, 8191]) < reward(0, [8191, 8190])
