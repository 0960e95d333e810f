"""While a version is made ready, put to work and taken back, people search; and processes die."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from tests.factories import a_photo, a_sight, a_user
from tests.stack import ROOT, environment_for
from tests.webapp.teach.runs.one_word import OneWord, silent
from tests.webapp.teach.switching.twins import a_twin
from webapp.accounts.models import User
from webapp.find.services import find_photos
from webapp.teach.models import ModelVersion
from webapp.teach.switching import activating
from webapp.teach.words import caption_of, tags_of

PHOTOS = 12


class Searching(threading.Thread):
    """Somebody who searches all the time; `wrong` is what no single version would answer."""

    def __init__(self, user: User, over: threading.Event) -> None:
        super().__init__()
        self.user, self.over = user, over
        self.answers: set[str] = set()
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            while not self.over.is_set():
                self.ask("img", {PHOTOS})
                for word in ("cat", "dog"):
                    self.ask(f'"{word}"', {0, PHOTOS})
                    self.ask(f"tag:{word}", {0, PHOTOS})
        except Exception as error:
            self.wrong.append(repr(error))
        finally:
            connection.close()

    def ask(self, query: str, allowed: set[int]) -> None:
        found = [each.photo for each in find_photos(self.user, query, show_more=True).found]
        captions = (caption_of(photo) for photo in found)
        said = {caption.text if caption else "" for caption in captions}
        said |= {f"a {tag.tag.name}" for photo in found for tag in tags_of(photo)}
        if len(found) not in allowed or len(said) > 1:
            self.wrong.append(f"{query}: {len(found)} photos, {said}")
        self.answers |= said


@pytest.mark.django_db(transaction=True)
def test_searches_see_one_version_or_the_other_and_never_both(tmp_path: Path) -> None:
    ana, over = a_user("ana"), threading.Event()
    for _ in range(PHOTOS):
        a_sight(a_photo(ana, with_thumbnails=False), tags=[("cat", 0.9)], caption="a cat")
    folder = str(a_twin(tmp_path / "another"))
    another = ModelVersion.objects.create(name="another", folder=folder)
    find_photos(ana, "warm up")
    people = [Searching(ana, over) for _ in range(2)]
    for person in people:
        person.start()
    try:
        activating.activate(another, lambda: OneWord("dog"), tell=silent)
        for _ in range(3):
            time.sleep(0.3)
            activating.roll_back()
        time.sleep(0.3)
    finally:
        over.set()
        for person in people:
            person.join()
    assert [wrong for person in people for wrong in person.wrong] == []
    assert set().union(*(person.answers for person in people)) == {"a cat", "a dog"}


KILLS = 3


def run(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.webapp.teach.runs.one_word", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, process_group=0
    )


@pytest.mark.processes
def test_whoever_is_killed_goes_on_and_is_never_half_switched(tmp_path: Path) -> None:
    environment = environment_for(tmp_path, DJANGO_SETTINGS_MODULE="webapp.settings")
    assert run(environment, "prepare").wait() == 0
    chance = random.Random(0)
    for _ in range(KILLS):
        process = run(environment, "activate")
        assert process.stdout
        assert process.stdout.readline()  # it is about to begin
        time.sleep(chance.uniform(0.0, 0.8))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        state = run(environment, "state").communicate()[0].strip()
        assert state in ("first: 16 cat, 0 dog", "another: 0 cat, 16 dog"), state
    assert run(environment, "activate").wait() == 0
    state = run(environment, "state").communicate()[0].strip()
    assert state == "another: 0 cat, 16 dog"
