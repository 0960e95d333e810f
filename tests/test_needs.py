"""What the tests need beyond pip is named when it cannot be installed."""

import subprocess
import sys
from pathlib import Path

from tests import needs

ROOT = Path(__file__).resolve().parents[1]


def test_what_is_missing_is_named_with_the_way_to_install_it() -> None:
    nothing_on_the_path = {"PATH": "/nonexistent"}

    checked = subprocess.run(
        [sys.executable, "-m", "tests.needs"],
        cwd=ROOT,
        env=nothing_on_the_path,
        text=True,
        capture_output=True,
    )

    assert checked.returncode == 1
    assert "The tests need Chromium" in checked.stdout
    assert "sudo apt-get install chromium" in checked.stdout


def test_here_nothing_is_missing() -> None:
    assert needs.missing() == []
