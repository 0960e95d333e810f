"""Who may know whom: the import rules of the rooms, and what they are for."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SERVE_PAGES = """
import sys
import django
django.setup()
from django.core.management import call_command
from django.test import Client
from webapp.accounts.models import User

call_command("migrate", verbosity=0)
user = User.objects.create_user("somebody")
client = Client(headers={"host": "localhost"})
client.force_login(user)
for page in ("/", "/search/?q=two+dogs", "/processing/", "/api/v1/openapi.json"):
    assert client.get(page).status_code == 200, page
client.get("/healthz")
print(" ".join(sorted({"torch", "efficientnet_lite_pytorch"} & set(sys.modules))))
"""

LOAD_TASKS = """
import sys
from workers.app import app

app.loader.import_default_modules()
print("torch" in sys.modules)
"""


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)


def test_the_web_process_never_loads_torch(tmp_path: Path) -> None:
    served = run(
        sys.executable,
        "-c",
        SERVE_PAGES,
        MAREA_DATA=str(tmp_path),
        DJANGO_SETTINGS_MODULE="tests.settings",
    )

    assert served.returncode == 0, served.stderr
    assert served.stdout.strip() == ""


def test_a_worker_that_does_not_look_never_loads_torch(tmp_path: Path) -> None:
    loaded = run(
        sys.executable,
        "-c",
        LOAD_TASKS,
        MAREA_DATA=str(tmp_path),
        DJANGO_SETTINGS_MODULE="webapp.settings",
    )

    assert loaded.stdout.strip() == "False", loaded.stderr


@pytest.mark.parametrize("module", ["vision", "vision.decoding", "vision.text_encoder"])
def test_what_the_web_process_takes_from_vision_is_free_of_torch(module: str) -> None:
    code = f"import {module}, sys; print('torch' in sys.modules)"

    assert run(sys.executable, "-c", code).stdout.strip() == "False"


def test_the_import_rules_hold() -> None:
    checked = run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")

    assert checked.returncode == 0, checked.stdout


def test_every_signal_has_its_task() -> None:
    from workers import queue, tasks

    names = {queue.LOOK, queue.REMAKE_THUMBNAILS, queue.BUILD_INDEX, queue.WORK_ON_MODELS}
    names |= {queue.READ_TEXTS, queue.DRAW_HEAT_MAPS}

    assert names <= set(tasks.app.tasks)


def test_every_scheduled_task_exists_and_every_queue_is_served() -> None:
    from workers import tasks
    from workers.clock import app as clock
    from workers.delivery import QUEUES
    from workers.supervision import marea

    scheduled = {entry["task"] for entry in clock.conf.beat_schedule.values()}
    served = " ".join(marea.looker().command + marea.caretaker().command)

    assert scheduled <= set(tasks.app.tasks)
    assert all(queue in served for queue in QUEUES)
