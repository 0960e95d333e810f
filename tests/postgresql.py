"""A PostgreSQL of the tests' own: a fresh cluster in a temporary folder, gone afterwards.

`python -m tests.postgresql COMMAND…` runs the command with DATABASE_URL pointing at it.
"""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.needs import postgresql_bin

# Nothing in it needs to survive a power cut. It listens on a socket in its own folder only.
OPTIONS = "-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@contextmanager
def private_postgresql() -> Iterator[str]:
    """The DATABASE_URL of a running cluster that ends with the block."""
    binaries = postgresql_bin()
    if binaries is None:
        raise RuntimeError("PostgreSQL is missing; `python -m tests.needs` says how to install it.")
    account = _account()
    with tempfile.TemporaryDirectory(prefix="marea-pg-") as name:
        folder = Path(name)
        if account:
            os.chown(folder, account["user"], account["group"])

        def run(program: str, *arguments: str) -> None:
            command = [str(binaries / program), "-D", str(folder / "cluster"), *arguments]
            with (folder / "log").open("ab") as log:
                subprocess.run(command, check=True, stdout=log, stderr=log, cwd=folder, **account)

        run("initdb", "--auth=trust", "--username=marea", "--encoding=UTF8", "--no-locale", "-N")
        run("pg_ctl", "start", "-w", "-o", f"{OPTIONS} -k {folder}")
        try:
            yield f"postgres://marea@/{folder}/postgres"  # django-environ's way to name a socket
        finally:
            run("pg_ctl", "stop", "-m", "immediate")


def _account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; then it runs as the account that Debian made for it."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def main() -> int:
    with private_postgresql() as url:
        command = subprocess.Popen(sys.argv[1:], env={**os.environ, "DATABASE_URL": url})
        signal.signal(signal.SIGTERM, lambda *_: command.terminate())
        while True:
            try:
                return command.wait()
            except KeyboardInterrupt:  # the command was told, too: it may clean up and say why
                continue


if __name__ == "__main__":
    sys.exit(main())
