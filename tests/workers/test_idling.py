"""A worker without photos gives memory back and is none the worse for it."""

import time
from pathlib import Path

import psutil
import pytest
from pytest_django import Settings

from vision.versions import open_version
from workers import idling, looking


@pytest.fixture
def weights() -> Path:
    return open_version().folder


def test_the_weights_are_let_go_after_a_while_without_work(
    weights: Path, settings: Settings
) -> None:
    settings.MAREA_IDLE_S = 0.05
    looking.load_eye(weights)
    before = psutil.Process().memory_info().rss
    idling.rest()
    for _ in range(100):
        if not looking.load_eye.cache_info().currsize:
            break
        time.sleep(0.05)
    assert looking.load_eye.cache_info().currsize == 0
    assert psutil.Process().memory_info().rss < before


def test_work_that_comes_in_time_finds_the_weights_loaded(
    weights: Path, settings: Settings
) -> None:
    settings.MAREA_IDLE_S = 0.3
    eye = looking.load_eye(weights)
    idling.rest()
    idling.wake()
    time.sleep(0.5)
    assert looking.load_eye(weights) is eye


def test_a_worker_that_let_go_looks_again(weights: Path) -> None:
    eye = looking.load_eye(weights)
    idling.let_go()
    assert looking.load_eye(weights) is not eye
