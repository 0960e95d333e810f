"""Is what Marea stands on in order: weights, disk, Redis, key, browser packages?"""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from redis import RedisError

from vision.errors import WeightsError
from vision.versions import open_version
from webapp.checks import missing_browser_packages
from webapp.library.services.doctor.findings import Finding, count, note, problem
from webapp.teach.services import active_version, weights_folder
from workers import queue

# A library grows by gigabytes in an afternoon; below this an upload may soon find no room.
LITTLE_SPACE_BYTES = 2 << 30
GIGABYTE = 1 << 30


def weights() -> Iterator[Finding]:
    """Every file of the active version is what its manifest says."""
    version = active_version()
    try:
        opened = open_version(weights_folder(version))
        for file in opened.manifest["files"]:
            opened.path(file)
    except WeightsError as error:
        yield problem(
            "weights",
            str(error),
            "Bring the weights back (git checkout vision/weights) or activate another version.",
        )
    else:
        files = count(len(opened.manifest["files"]), "file")
        yield Finding("weights", f"{version.name} is whole ({files}).")


def disk() -> Iterator[Finding]:
    for name, folder in {
        "data": settings.MAREA_DATA,
        "originals": settings.MAREA_ORIGINALS,
    }.items():
        if not Path(folder).exists():
            continue
        free = shutil.disk_usage(folder).free
        message = f"{free / GIGABYTE:,.1f} GB are free where the {name} are kept."
        if free < LITTLE_SPACE_BYTES:
            yield problem("disk", message, "Free some space or move the data folder (MAREA_DATA).")
        else:
            yield Finding("disk", message)


def redis() -> Iterator[Finding]:
    try:
        queue.redis().ping()
    except RedisError as error:
        if settings.MAREA_EMBEDDED_VALKEY:
            yield note("redis", "The embedded Valkey is not running: Marea is stopped.")
        else:
            yield problem(
                "redis",
                f"The Redis server does not answer ({type(error).__name__}).",
                "Check REDIS_URL and that the server runs.",
            )
    else:
        yield Finding("redis", "Redis answers.")


def secret_key() -> Iterator[Finding]:
    """Only the owner may read the key that signs sessions."""
    path = Path(settings.MAREA_DATA) / "secret_key"
    if not path.exists():
        yield Finding("secret key", "The secret key comes from the environment.")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield problem(
            "secret key",
            f"Other users of this machine can read {path}.",
            "make it readable by its owner only",
            lambda: _hide(path),
        )
    else:
        yield Finding("secret key", "Only its owner can read the secret key.")


def _hide(path: Path) -> str:
    path.chmod(0o600)
    return f"Only its owner can read {path} now."


def browser_packages() -> Iterator[Finding]:
    missing = missing_browser_packages(Path(settings.MAREA_FRONTEND))
    if missing:
        yield problem(
            "browser packages",
            f"Packages that the pages need are not installed: {', '.join(missing)}.",
            "Run make run once, or npm ci in webapp/frontend.",
        )
    else:
        yield Finding("browser packages", "The packages that the pages need are installed.")
