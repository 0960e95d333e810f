"""Programs of a measurement, in a data folder of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

# Nothing of the library that is really here reaches the one that is measured.
OURS = (
    "DATABASE_URL", "REDIS_URL", "MAREA_S3_BUCKET", "MAREA_ORIGINALS", "SECRET_KEY",
    "SEARCH_ENGINE",
)  # fmt: skip


def measured(module: str, *arguments: object, home: Path) -> dict[str, Any]:
    """Run `python -m module arguments…` with `home` as its data folder; the JSON that it prints.
    What it says meanwhile goes to standard error."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment |= {"MAREA_DATA": str(home), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise CommandError("The measurement did not come to its end; the reason is above.")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
