"""An import that is stopped half-way, politely or not, and started again: real processes."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.factories import image_bytes
from tests.stack import ROOT, environment_for

pytestmark = pytest.mark.processes

PHOTOS = 120
PATIENCE_S = 120.0
MAKE_USER = "from webapp.accounts.models import User; User.objects.create_user('anna')"


def manage(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def rows(data: Path) -> int:
    with sqlite3.connect(data / "marea.sqlite3", timeout=30) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM library_photo").fetchone()[0])


def stop_half_way(importing: subprocess.Popen[str], data: Path, number: signal.Signals) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while rows(data) < PHOTOS // 10:
        assert importing.poll() is None, importing.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    importing.send_signal(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda each: each.name)
def test_a_stopped_import_goes_on_when_it_is_started_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(PHOTOS):
        (photos / f"{seed:03}.jpg").write_bytes(image_bytes(size=(1200, 900), seed=seed))
    environment = environment_for(tmp_path / "marea", REDIS_URL="redis://127.0.0.1:1/0")
    data = tmp_path / "marea" / "data"
    for arguments in (("migrate", "-v0"), ("shell", "-v0", "-c", MAKE_USER)):
        assert manage(environment, *arguments).wait() == 0

    importing = manage(environment, "import_photos", str(photos), "--json")
    stop_half_way(importing, data, number)
    out, errors = importing.communicate(timeout=PATIENCE_S)
    added = rows(data)
    assert PHOTOS // 10 <= added < PHOTOS
    if number == signal.SIGINT:
        assert importing.returncode == 130
        assert json.loads(out)["new"] == added
        assert "Start it again" in errors

    again = manage(environment, "import_photos", str(photos), "--json")
    out, errors = again.communicate(timeout=PATIENCE_S)
    result: dict[str, Any] = json.loads(out)
    assert (again.returncode, result["known"], result["new"]) == (0, added, PHOTOS - added), errors
    originals = [path for path in (data / "originals").rglob("*") if path.is_file()]
    whole = [path for path in originals if not path.name.startswith(".writing-")]
    assert len(whole) == rows(data) == PHOTOS
