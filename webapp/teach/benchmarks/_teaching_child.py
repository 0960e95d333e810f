"""How long teaching a tag takes in a large library.

`python -m webapp.teach.benchmarks._teaching_child PHOTOS` fills a library of its own, teaches a tag
in it as a person would, and prints one JSON object of seconds.
"""

import json
import math
import sys
import time
from typing import Any

import django
import numpy as np

ROUNDS = 5
ALIKE = 60  # photos that show the tag: the nearest to one of them


def measure(photos: int) -> dict[str, list[float]]:
    from django.core.management import call_command

    from webapp.find.benchmarks._drawn import photo_vectors
    from webapp.find.benchmarks._library import fill
    from webapp.find.index.building import build_index
    from webapp.find.index.engine import open_view
    from webapp.library.models import Photo
    from webapp.teach.services import active_version
    from webapp.teach.taught import tagging, teaching, using

    call_command("migrate", verbosity=0)
    owner = fill(photo_vectors(photos, seed=3))
    build_index(active_version())
    view, opening = _timed(lambda: open_view(owner))
    _, vector = view.index.vectors(view.photos.ids()[:1])
    _, found = view.index.search(vector, ALIKE, view.photos)
    alike = set(found[0].tolist())
    examples = Photo.objects.filter(pk__in=sorted(alike)[:5])
    tag, beginning = _timed(lambda: teaching.begin(owner, "miso", examples))
    study, first = _timed(lambda: teaching.study(tag))
    rounds, answers = [], []
    for _ in range(ROUNDS):
        for question in study.questions if study else ():
            says = question.photo_id in alike
            answers.append(_timed(lambda q=question, s=says: teaching.answer(tag, q, s))[1])
        study, seconds = _timed(lambda: teaching.study(tag))
        rounds.append(seconds)
    done, switching = _timed(lambda: using.switch_on(tag))
    line = tag.lines.select_related("taught").get()
    rest = np.zeros(2)
    if not done:
        told = lambda: tagging.tell_library(line, seconds=math.inf, stopping=lambda: False)  # noqa: E731
        rest = _timed(told)[1]
    times = {
        "opening the index": opening,
        "five examples until the first question": beginning + first,
        "an answer": np.mean(answers, axis=0),
        "a round learnt and asked": np.mean(rounds, axis=0),
        "switching on": switching,
        "the rest of the library, by a worker": rest,
    }
    return {name: seconds.round(3).tolist() for name, seconds in times.items()}


def _timed(do: Any) -> tuple[Any, np.ndarray]:
    """What came of it, and seconds: by the clock, and of one core."""
    began, work = time.perf_counter(), time.process_time()
    done = do()
    return done, np.array([time.perf_counter() - began, time.process_time() - work])


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]))))
