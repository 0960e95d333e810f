"""python -m webapp.teach.benchmarks._switching PHOTOS SINCE PEOPLE: the measurement itself.

In a process of its own, in the data folder that MAREA_DATA names; prints one JSON object.
"""

import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import django

if TYPE_CHECKING:
    from webapp.accounts.models import User
    from webapp.find.benchmarks._server import Server
    from webapp.teach.models import ModelVersion
    from webapp.teach.switching.relooking import Looks

BATCH = 5_000
MARK = "second"  # stands in every caption and tag of the second version
QUERIES = ("dogs on the beach", "a red car", "tag:second", "people in the snow", "second child")
SETTLE_S = 2.0


def main(photos: int, since: int, people: int) -> dict[str, Any]:
    from webapp.find.benchmarks import _drawn, _library, _server
    from webapp.find.index.building import build_index
    from webapp.teach.versions.active import active_version

    _say(f"Filling a library of {photos:,} photos …")
    owner = _library.fill(_drawn.photo_vectors(photos, seed=0))
    first = active_version()
    build_index(first)
    second = _second_version(first)
    _say("Making the second version ready …")
    figures = _make_ready(second)
    with _server.running_server(owner) as server:
        asking = Asking(server)
        asking.wait_for("")  # the first answers load the text encoder
        asking.begin(people)
        figures |= _there_and_back(asking, owner, first, second, since)
        asking.end()
    return {"photos": photos, "since": since, **figures, **asking.figures()}


def _second_version(first: "ModelVersion") -> "ModelVersion":
    """The same weights under another name, which saw the same, worded differently."""
    from webapp.teach.models import ModelVersion, Sight
    from webapp.teach.versions.active import weights_folder

    second = ModelVersion.objects.create(name="second", folder=str(weights_folder(first)))
    seen = Sight.objects.filter(version=first).order_by("pk")
    last = 0
    while batch := list(seen.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        Sight.objects.bulk_create(
            Sight(
                photo_id=sight.photo_id,
                version=second,
                embedding=sight.embedding,
                caption=f"{MARK} {sight.caption}",
                caption_confidence=1.0,
                tags=[[MARK, 0.9], *([f"{MARK} {w}", 0.9] for w in sight.caption.split()[-2:])],
            )
            for sight in batch
        )
    return second


def _make_ready(second: "ModelVersion") -> dict[str, Any]:
    from webapp.find.index.building import build_index
    from webapp.teach.judging.verdicts import judge
    from webapp.teach.switching import readying

    started = time.perf_counter()
    readying.begin(second)
    readying.tell(second)
    told = time.perf_counter()
    build_index(second)
    made = time.perf_counter()
    second.is_ready = True
    second.save(update_fields=["is_ready"])
    judge(second, _nothing, tell=lambda *_: None)
    judged = time.perf_counter()
    return {"telling_s": told - started, "indexing_s": made - told, "judging_s": judged - made}


def _nothing() -> "Looks":
    raise RuntimeError("The second version has looked at everything.")


def _there_and_back(
    asking: "Asking", owner: "User", first: "ModelVersion", second: "ModelVersion", since: int
) -> dict[str, Any]:
    from webapp.teach.switching import activating

    time.sleep(SETTLE_S)
    _say("Switching …")
    started = time.perf_counter()
    if not activating.switch(second, reason="It is a measurement."):
        raise RuntimeError("The second version was not ready.")
    switched = time.perf_counter()
    asking.wait_for(MARK)
    followed = time.perf_counter()
    time.sleep(SETTLE_S)
    _add(owner, second, since)
    time.sleep(SETTLE_S)
    _say("Going back …")
    begun = time.perf_counter()
    activating.roll_back()
    rolled_back = time.perf_counter()
    asking.wait_for("")
    answered = time.perf_counter()
    time.sleep(SETTLE_S)
    return {
        "switch_s": switched - started,
        "first_after_switch_s": followed - started,
        "rollback_s": rolled_back - begun,
        "back_s": answered - begun,
    }


def _add(owner: "User", second: "ModelVersion", since: int) -> None:
    """Photos that only the second version has looked at."""
    from django.db import transaction

    from vision.sight import Sight
    from webapp.find.benchmarks import _drawn, _library
    from webapp.find.index.documents import index_photos
    from webapp.library.models import ChangeCounter, Photo
    from webapp.teach.switching.readying import store_seen

    for number, vectors in enumerate(_drawn.photo_vectors(since, seed=7)):
        with transaction.atomic():
            made = _library.photos(owner, 1_000_000 + number, len(vectors), ChangeCounter.next())
            rows = Photo.objects.bulk_create(made)
            index_photos([photo.pk for photo in rows])
            seen = [Sight(vector, [(MARK, 0.9)], f"{MARK} photo", 1.0) for vector in vectors]
            store_seen(second, list(zip(rows, seen, strict=True)))


@dataclass
class Asking:
    """People who search all the time, and what they were answered."""

    server: "Server"
    answers: int = 0
    failed: int = 0
    mixed: int = 0
    slowest_s: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, people: int) -> None:
        for number in range(people):
            thread = threading.Thread(target=self._ask_on, args=[number])
            thread.start()
            self.threads.append(thread)

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def figures(self) -> dict[str, Any]:
        names = ("answers", "failed", "mixed", "slowest_s")
        return {name: getattr(self, name) for name in names}

    def wait_for(self, mark: str) -> None:
        """Until every web process answers with the version whose words have `mark`."""
        in_a_row = 0
        while in_a_row < 2 * len(self.server.workers()):
            marks = self._marks(QUERIES[0])
            in_a_row = in_a_row + 1 if marks == {mark == MARK} else 0

    def _ask_on(self, number: int) -> None:
        while not self.over.is_set():
            number += 1
            started = time.perf_counter()
            try:
                if len(self._marks(QUERIES[number % len(QUERIES)])) > 1:
                    self.mixed += 1
            except (OSError, RuntimeError, ValueError) as error:
                _say(f"failed: {error}")
                self.failed += 1
            self.answers += 1
            self.slowest_s = max(self.slowest_s, time.perf_counter() - started)

    def _marks(self, query: str) -> set[bool]:
        """Whether words are the second version's: one answer for each photo."""
        found = json.loads(self._get(f"/api/v1/search?{urlencode({'q': query, 'limit': 30})}"))
        return {is_second for each in found["results"] for is_second in _words_of(each)}

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request("GET", path, headers={"Cookie": self.server.cookie})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return body


def _words_of(result: dict[str, Any]) -> list[bool]:
    photo = result["photo"]
    caption = photo["caption"]
    texts = [caption["text"] if isinstance(caption, dict) else caption or ""]
    texts += [tag["name"] for tag in photo["tags"]]
    return [MARK in text for text in texts if text]


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    sys.stdout.write(json.dumps(main(*(int(each) for each in sys.argv[1:4]))))
