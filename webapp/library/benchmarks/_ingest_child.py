"""One side of `benchmark ingest`, in a process and a data folder of its own.

`python -m webapp.library.benchmarks._ingest_child naive|ours|web PHOTOS VERSION` prints one JSON
object.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import psutil

Figures = dict[str, Any]


def prepare(photos: Path, version_folder: Path) -> Any:
    """An empty database with the photos stored and waiting; the version that looks at them."""
    from django.core.management import call_command

    from webapp.accounts.models import User
    from webapp.library.services.adding import add_photo
    from webapp.teach.models import ModelVersion

    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("benchmark")
    version = ModelVersion.objects.create(
        name=version_folder.name, folder=str(version_folder), is_active=True
    )
    for path in sorted(photos.glob("*.jpg")):
        add_photo(owner, path, file_name=path.name)
    return version


def ours(photos: Path, version_folder: Path) -> Figures:
    """What a worker does with waiting photos."""
    from vision.eye import load_eye
    from webapp.library.services.decoding import decoders
    from workers.looking import Looker

    version = prepare(photos, version_folder)
    eye = load_eye(version_folder)
    warm_up(eye, photos)
    looker = Looker(version, eye, stopping=lambda: False)
    figures = timed(lambda: looker.run(until=time.monotonic() + 3600))
    children = [psutil.Process(pid) for pid in decoders().pids()]
    return {**figures, "decoders_mb": [child.memory_info().rss / 1e6 for child in children]}


def naive(photos: Path, version_folder: Path) -> Figures:
    from vision.eye import load_eye
    from webapp.library.benchmarks._naive import take_in_all
    from webapp.teach.benchmarks._eager import eager_eye

    version = prepare(photos, version_folder)
    eye = eager_eye(load_eye(version_folder, device="cpu"), device="cpu")
    warm_up(eye, photos)
    return timed(lambda: take_in_all(version, eye))


def warm_up(eye: Any, photos: Path) -> None:
    """Start the decoders and let the network run once."""
    from webapp.library.services.decoding import decoders

    first = next(photos.glob("*.jpg"))
    rendering = decoders().render(first, network_size=eye.input_size, thumbnails={})
    eye.look([rendering.pixels])


def timed(take_in: Callable[[], object]) -> Figures:
    from webapp.library.models import Photo

    started, cpu_before = time.perf_counter(), cpu_s()
    take_in()
    seconds, cpu = time.perf_counter() - started, cpu_s() - cpu_before
    ready = Photo.objects.filter(state=Photo.State.READY).count()
    if ready < Photo.objects.count():
        raise RuntimeError(f"only {ready} of {Photo.objects.count()} photos became ready")
    return {
        "photos_per_s": ready / seconds,
        "cpu_s_a_photo": cpu / ready,
        "resident_mb": resident_mb(),
    }


def cpu_s() -> float:
    """Processor time of this process and its children so far, seconds."""
    here = psutil.Process()
    times = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def web(photos: Path, version_folder: Path) -> Figures:
    """A web process after a page of results, in an empty library."""
    from django.core.management import call_command
    from django.test import Client

    from webapp.accounts.models import User
    from webapp.find.query.embedding import embed_query
    from webapp.teach.models import ModelVersion

    import_module("webapp.wsgi")  # what a web server loads
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    version = ModelVersion.objects.create(
        name=version_folder.name, folder=str(version_folder), is_active=True
    )
    client = Client(HTTP_HOST="localhost")
    client.force_login(
        User.objects.create_user("benchmark"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    answer = client.get("/search/", {"q": "two dogs on the beach"})
    if answer.status_code != 200:
        raise RuntimeError(f"the search answered {answer.status_code}")
    embed_query(version, "two dogs on the beach")
    return {"resident_mb": resident_mb(), "torch": "torch" in sys.modules}


def resident_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    django.setup()
    side, photos, version = sys.argv[1:]
    figures = {"ours": ours, "naive": naive, "web": web}[side](Path(photos), Path(version))
    sys.stdout.write(json.dumps(figures))
