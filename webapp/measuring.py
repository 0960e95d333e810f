"""Measuring apart: in a process and a data folder of its own, far from anybody's library."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from webapp.errors import UserError

# Settings that would lead a child to somebody's library or Redis.
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "MAREA_ORIGINALS", "MAREA_S3_BUCKET"}


def measure_apart(module: str, *arguments: object, home: Path) -> dict[str, Any]:
    """Run `python -m module arguments…` with `home` as its data folder; the JSON that it prints.

    Raises `UserError` with the end of its log when it fails.
    """
    home.mkdir(parents=True)
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    own = {"MAREA_DATA": str(home), "LOG_LEVEL": "ERROR", "DEBUG": ""}
    own["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=inherited | own,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"The process that measures ended: {done.stderr[-1000:]}")
    return json.loads(done.stdout.splitlines()[-1])
