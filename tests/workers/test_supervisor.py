"""The supervisor with real programs: it restarts what dies and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.stack import ROOT, Stack, command_line, environment_for, running_stack

pytestmark = pytest.mark.processes

PATIENCE_S = 300.0  # far more than it takes; a busy machine must not fail a test


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def all_gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.fixture(scope="module")
def marea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("supervised")) as stack:
        yield stack


def run_beside(marea: Stack, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT,
        env=marea.environment | settings,
        text=True,
        capture_output=True,
    )


def test_it_prints_the_address_when_all_is_well(marea: Stack) -> None:
    assert f"Ready: {marea.base_url}/" in marea.log()
    with urllib.request.urlopen(f"{marea.base_url}/healthz") as answer:  # noqa: S310
        assert answer.status == 200


def test_it_has_no_tcp_port_but_the_web_servers(marea: Stack) -> None:
    listening = [
        connection.laddr.port
        for process in [psutil.Process(marea.process.pid), *marea.programs()]
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert {f"http://127.0.0.1:{port}" for port in listening} == {marea.base_url}


@pytest.mark.parametrize("word", ["webapp.wsgi", "look@", "care@", "beat", "valkey-server"])
def test_what_is_killed_is_started_again(marea: Stack, word: str) -> None:
    killed = marea.program(word)
    descendants = killed.children(recursive=True)

    killed.kill()

    wait_for(lambda: all_gone([killed, *descendants]))
    wait_for(lambda: any(word in command_line(child) for child in marea.children()))
    assert marea.process.poll() is None


def test_it_refuses_to_start_twice_on_one_folder(marea: Stack) -> None:
    second = run_beside(marea)

    assert second.returncode == 1
    assert f"already runs on {marea.folder}" in second.stderr
    assert "Traceback" not in second.stderr
    assert marea.process.poll() is None


def test_a_port_in_use_is_said_in_a_sentence(marea: Stack, tmp_path: Path) -> None:
    second = run_beside(marea, MAREA_DATA=str(tmp_path))

    assert second.returncode == 1
    assert "cannot listen on" in second.stderr
    assert "MAREA_BIND" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_good_order_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running_stack(tmp_path) as marea:
        programs = marea.programs()
        assert marea.valkey_socket.exists()

        assert marea.stop(number) == 0

        assert len(programs) >= 5
        assert all_gone(programs)
        assert not marea.valkey_socket.exists()


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    with running_stack(tmp_path) as marea:
        programs = marea.programs()
        marea.program("look@").suspend()  # will not answer a polite request

        marea.process.send_signal(signal.SIGINT)
        wait_for(lambda: "Stopping" in marea.log())
        marea.process.send_signal(signal.SIGINT)

        wait_for(lambda: marea.process.poll() is not None)
        assert all_gone(programs)


def test_its_programs_end_with_it_even_if_it_is_killed(tmp_path: Path) -> None:
    with running_stack(tmp_path) as marea:
        programs = marea.programs()

        os.kill(marea.process.pid, signal.SIGKILL)

        wait_for(lambda: all_gone(programs))


def test_without_a_working_redis_it_says_so_and_ends(tmp_path: Path) -> None:
    marea = Stack(tmp_path, environment_for(tmp_path, REDIS_URL="redis://:secret@127.0.0.1:1/0"))

    marea.start()

    assert marea.process.wait(timeout=PATIENCE_S) == 1
    assert "does not answer" in marea.log()
    assert "secret" not in marea.log()
