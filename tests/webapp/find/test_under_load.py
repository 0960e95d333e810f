"""Several people search at once while photos of all of them arrive.

Real processes on a loopback port: gunicorn, workers, Valkey, decoders and the network. Times are
printed (`pytest -s`), never asserted: a busy machine must not fail a test.
"""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from tests.factories import image_bytes
from tests.stack import Stack, running_stack

pytestmark = pytest.mark.processes

USERS = ("anna", "bert", "carla", "dan")
PHOTOS, EVERY_S = 6, 2.0  # of each, and how far apart they arrive
PAUSE_S = 0.2  # between two searches of one person
PATIENCE_S = 240.0  # until everything is found; far more than it takes
QUERIES = ("something red", "blue -green", "before:2020", "not there", '"photo"', "a wall", "")
ALL = "/api/v1/search?more=true&limit=200&q="


class Person:
    """Somebody with a token, and what their program was answered."""

    def __init__(self, stack: Stack, token: str, number: int) -> None:
        self.address = stack.environment["MAREA_BIND"]
        self.headers = {"Authorization": f"Bearer {token}"}
        self.number = number
        self.mine: set[int] = set()
        self.seen: set[int] = set()
        self.refused: list[Any] = []
        self.seconds: list[float] = []

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=120)
        headers = self.headers | ({"Content-Type": kind} if kind else {})
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = json.loads(answer.read())
        connection.close()
        if answer.status not in (200, 201):
            self.refused.append((path, answer.status, content))
        return content

    def upload(self) -> None:
        for photo in range(PHOTOS):
            content = image_bytes(seed=100 * self.number + photo)
            body = (
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
                b"Content-Type: image/jpeg\r\n\r\n" + content + b"\r\n--b--\r\n"
            )
            answer = self.ask("POST", "/api/v1/photos", body, "multipart/form-data; boundary=b")
            self.mine.add(answer["photo"]["id"])
            time.sleep(EVERY_S)

    def search(self, done: threading.Event) -> None:
        while not done.wait(PAUSE_S):
            query = QUERIES[len(self.seconds) % len(QUERIES)]
            began = time.perf_counter()
            self.seen |= self.found(query)
            self.seconds.append(time.perf_counter() - began)

    def found(self, query: str) -> set[int]:
        return {row["photo"]["id"] for row in self.ask("GET", ALL + quote(query))["results"]}

    def finds_all(self) -> bool:
        """By the look of them, once a worker has looked at each."""
        return self.found("something red") == self.mine


def tokens(stack: Stack) -> list[str]:
    """Of people who want every photo as a tile of its own, so that none hides behind another."""
    code = (
        "from webapp.accounts.models import ApiToken, User\n"
        "from webapp.stacks.models import StackChoice\n"
        f"for name in {USERS}:\n"
        "    user = User.objects.create_user(name)\n"
        "    StackChoice.objects.create(user=user, unfolds=True)\n"
        "    print(ApiToken.issue(user, name='load', scope='write')[1])\n"
    )
    return stack.manage("shell", "-v0", "-c", code).split()


def wait_until_found(people: Sequence[Person]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while lacking := [person for person in people if not person.finds_all()]:
        told = [(USERS[each.number], each.mine, each.found("something red")) for each in lacking]
        assert time.monotonic() < deadline, told
        time.sleep(0.5)


def test_people_search_while_photos_arrive_and_see_their_own_alone(tmp_path: Path) -> None:
    with running_stack(tmp_path / "stack", MAREA_INDEX_DELTA="10", MAREA_OCR="off") as stack:
        people = [Person(stack, token, place) for place, token in enumerate(tokens(stack))]
        done = threading.Event()
        with ThreadPoolExecutor(2 * len(people)) as threads:
            searching = [threads.submit(person.search, done) for person in people]
            try:
                for uploading in [threads.submit(person.upload) for person in people]:
                    uploading.result()
                answered, arrived = [len(person.seconds) for person in people], time.monotonic()
                wait_until_found(people)
                waited = time.monotonic() - arrived
            finally:
                done.set()
            for each in searching:
                each.result()

    assert [person.refused for person in people] == [[]] * len(people)
    assert all(len(person.mine) == PHOTOS for person in people)
    assert all(person.seen and person.seen <= person.mine for person in people)
    assert min(answered) >= 3  # while photos arrived
    p50, p99 = np.quantile(np.concatenate([person.seconds for person in people]), [0.5, 0.99])
    print(  # noqa: T201
        f"\n{sum(answered)} searches while photos arrived: p50 {p50:.3f} s, p99 {p99:.3f} s; "
        f"the last photo was found {waited:.1f} s after it had arrived"
    )
