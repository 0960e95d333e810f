"""What the tests need beyond pip: found, installed through apt where that is allowed, or named.

`python -m tests.needs` exits with status 1 and a sentence when something is missing.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
POSTGRESQL_ON_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Need:
    name: str
    apt_package: str
    present: bool


def chromium() -> Path | None:
    """The browser that the tests drive."""
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return Path(found)
    return CHROMIUM_ON_MACOS if CHROMIUM_ON_MACOS.exists() else None


def postgresql_bin() -> Path | None:
    """Folder of `initdb` and `pg_ctl`; Debian keeps them off the PATH, one folder a version."""
    for initdb in sorted(POSTGRESQL_ON_DEBIAN.glob("*/bin/initdb"), reverse=True):
        return initdb.parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def needs() -> list[Need]:
    return [
        Need("Chromium", "chromium", chromium() is not None),
        Need("PostgreSQL", "postgresql", postgresql_bin() is not None),
    ]


def missing() -> list[Need]:
    return [need for need in needs() if not need.present]


def main() -> int:
    if not missing():
        return 0
    install([need.apt_package for need in missing()])
    still = missing()
    if still:
        names = " and ".join(need.name for need in still)
        packages = " ".join(need.apt_package for need in still)
        print(f"The tests need {names}, which could not be installed from here. Install it first")
        print(f"(on Debian and Ubuntu: sudo apt-get install {packages}), then run them again.")
        return 1
    return 0


def install(packages: list[str]) -> None:
    """Through apt, as root or by a sudo that asks for no password; otherwise do nothing."""
    prefix = _root_prefix()
    if shutil.which("apt-get") is None or prefix is None:
        return
    print(f"Installing {' '.join(packages)} through apt …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-qq"], ["install", "-qq", "--yes", *packages]):
        subprocess.run([*prefix, "apt-get", *step], env=quiet, stdout=subprocess.DEVNULL)


def _root_prefix() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "--non-interactive", "--preserve-env=DEBIAN_FRONTEND"]
    allowed = shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True)
    return sudo if allowed and allowed.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
