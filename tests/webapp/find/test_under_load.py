"""Several people search at once while photos arrive, are trashed, and a new base is made.

Real processes on a loopback port: gunicorn, workers, Valkey, decoders and the network.
"""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.factories import image_bytes
from tests.stack import Stack, running_stack

pytestmark = pytest.mark.processes

USERS = ("anna", "bert", "carla")
PHOTOS = 8  # of each
PATIENCE_S = 600.0  # far more than it takes; a busy machine must not fail a test
QUERIES = ("a photo", "red", "something blue -green", "before:2020", "not there", '"photo"', "")


class Person:
    """Somebody with a token, who counts what went wrong."""

    def __init__(self, stack: Stack, token: str, number: int) -> None:
        self.address = stack.environment["MAREA_BIND"]
        self.headers = {"Authorization": f"Bearer {token}"}
        self.number = number
        self.answers = 0
        self.wrong: list[Any] = []
        self.mine: set[int] = set()
        self.trashed: set[int] = set()

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.address, timeout=120)
        headers = self.headers | ({"Content-Type": kind} if kind else {})
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content) if content else None

    def upload(self) -> None:
        """Photos one after the other; the first is trashed when all are there."""
        for photo in range(PHOTOS):
            content = image_bytes(seed=100 * self.number + photo)
            body = (
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
                b"Content-Type: image/jpeg\r\n\r\n" + content + b"\r\n--b--\r\n"
            )
            status, answer = self.ask(
                "POST", "/api/v1/photos", body, "multipart/form-data; boundary=b"
            )
            if status != 201:
                self.wrong.append((status, answer))
                return
            self.mine.add(answer["photo"]["id"])
        first = min(self.mine)
        body = json.dumps({"ids": [first]}).encode()
        status, answer = self.ask("POST", "/api/v1/photos/trash", body, "application/json")
        if status != 200:
            self.wrong.append((status, answer))
        self.trashed.add(first)

    def search(self, done: threading.Event) -> None:
        """Whatever arrives meanwhile, each answer is whole and holds this person's photos alone."""
        while not done.is_set():
            gone = set(self.trashed)  # before asking: these must be gone from the answer
            query = QUERIES[self.answers % len(QUERIES)]
            status, answer = self.ask("GET", f"/api/v1/search?more=true&q={quote(query)}")
            found = {row["photo"]["id"] for row in answer["results"]} if status == 200 else set()
            if status != 200 or found & gone or not found <= self.mine | self.unanswered(found):
                self.wrong.append((query, status, found, self.mine))
            self.answers += 1

    def unanswered(self, found: set[int]) -> set[int]:
        """Photos that were stored, and found, before the answer to their upload was read."""
        new = found - self.mine
        are_ours = all(self.ask("GET", f"/api/v1/photos/{photo}")[0] == 200 for photo in new)
        return new if are_ours else set()

    def finds(self) -> set[int]:
        _, answer = self.ask("GET", "/api/v1/search?more=true&limit=200&q=a%20photo")
        return {row["photo"]["id"] for row in answer["results"]}


def tokens(stack: Stack) -> list[str]:
    code = (
        "from webapp.accounts.models import ApiToken, User\n"
        f"for name in {USERS}:\n"
        "    user = User.objects.create_user(name)\n"
        "    print(ApiToken.issue(user, name='load', scope='write')[1])\n"
    )
    return stack.manage("shell", "-v0", "-c", code).split()


def test_several_people_search_while_photos_arrive(tmp_path: Path) -> None:
    quick = {"MAREA_INDEX_DELTA": "6", "MAREA_SWEEP_S": "1"}
    with running_stack(tmp_path / "stack", **quick) as stack:
        people = [Person(stack, token, place) for place, token in enumerate(tokens(stack))]
        done = threading.Event()
        with ThreadPoolExecutor(3 * len(people)) as threads:
            searching = [threads.submit(person.search, done) for person in people * 2]
            try:
                for uploading in [threads.submit(person.upload) for person in people]:
                    uploading.result()
                deadline = time.monotonic() + PATIENCE_S
                while any(p.finds() != p.mine - p.trashed for p in people):
                    assert time.monotonic() < deadline, [(p.finds(), p.mine) for p in people]
                    time.sleep(0.5)
            finally:
                done.set()
            for each in searching:
                each.result()

        assert [person.wrong for person in people] == [[], [], []]
        assert all(len(person.mine) == PHOTOS and person.answers > 10 for person in people)
        assert list((stack.folder / "data" / "index").glob("*/manifest.json"))
