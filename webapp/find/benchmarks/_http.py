"""python -m webapp.find.benchmarks._http PHOTOS RATE REQUESTS: the measurement itself.

In a process of its own, in the data folder that MAREA_DATA names; prints one JSON object.
"""

import json
import sys
from typing import Any

import django

WARM_UP = 100  # each thread of a process has a connection and a cache of its own
ALONE = 100


def main(photos: int, rate: float, requests: int) -> dict[str, Any]:
    from webapp.find.benchmarks import _drawn, _library, _measures, _server
    from webapp.find.index.building import build_index
    from webapp.teach.services import active_version

    _say(f"Filling a library of {photos:,} photos …")
    owner = _library.fill(_drawn.photo_vectors(photos, seed=0))
    _say("Making the index …")
    build_index(active_version())
    _say("Asking the web server …")
    number = WARM_UP + ALONE + requests
    wanted = list(dict.fromkeys(_drawn.captions(20 * number, seed=3)))[:number]
    with _server.running_server(owner) as server:
        first, *_ = server.ask(wanted[:WARM_UP])
        alone = server.ask(wanted[WARM_UP : WARM_UP + ALONE])
        seconds = server.ask_at(rate, wanted[WARM_UP + ALONE :])
        workers = server.workers()
        return {
            "photos": photos,
            "rate": rate,
            "requests": len(seconds),
            **_measures.percentiles(seconds),
            "alone": _measures.percentiles(alone),
            "first_ms": 1000 * first,
            "web_processes": len(workers),
            "web_process_mb": max(each.memory_info().rss for each in workers) / 1e6,
            "torch_loaded": any(
                "torch" in mapped.path for each in workers for mapped in each.memory_maps()
            ),
        }


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    figures = main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(figures))
