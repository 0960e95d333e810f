"""What bounds a decoding process, each bound reached by a real file."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.hostile.bombs import repeated_scans
from tests.hostile.sample import encode, jpeg
from vision.decoding import DecoderPool, Limits, UnreadableImage

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.jpg"
    path.write_bytes(jpeg())
    return path


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Under two megabytes that take the better part of a minute to decode."""
    path = tmp_path_factory.mktemp("slow") / "slow.jpg"
    path.write_bytes(repeated_scans(Image.new("RGB", (4000, 4000)), 4_000))
    return path


def assert_refused(code: str, pool: DecoderPool, path: Path) -> UnreadableImage:
    with pytest.raises(UnreadableImage) as caught:
        pool.inspect(path)
    assert caught.value.code == code
    return caught.value


def test_file_over_the_byte_limit_is_refused_with_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(jpeg() + b"\0" * 2_000_000)
    with DecoderPool(1, Limits(max_bytes=2_000_000)) as pool:
        error = assert_refused("too_large_bytes", pool, path)
        assert pool.pids() == []  # no process was needed to say so
    assert error.message == "The file is 2.1 MB; photos may be at most 2 MB."


def test_picture_over_the_pixel_limit_is_refused_with_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    path.write_bytes(encode(Image.new("1", (1001, 1000)), "PNG"))
    with DecoderPool(1, Limits(max_pixels=10**6)) as pool:
        error = assert_refused("too_large_pixels", pool, path)
    assert "more than 1 megapixels" in error.message


@linux_only
def test_picture_over_the_memory_limit_is_refused_and_the_pool_goes_on(
    good: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(encode(Image.new("RGB", (9000, 9000)), "PNG"))
    with DecoderPool(1, Limits(memory_mb=128)) as pool:
        pool.inspect(good)
        first = pool.pids()
        error = assert_refused("decode_memory", pool, path)
        assert pool.inspect(good).width == 96
        assert pool.pids() != first  # its heap is not used again
    assert not error.transient
    assert "128 MB" in error.message


def test_slow_picture_is_given_up_and_its_process_killed(good: Path, slow: Path) -> None:
    with DecoderPool(1, Limits(seconds=0.5)) as pool:
        pool.inspect(good)
        (pid,) = pool.pids()
        error = assert_refused("decode_timeout", pool, slow)
        assert not runs(pid)
        assert pool.inspect(good).width == 96
    assert error.transient
    assert "0.5 seconds" in error.message


def test_death_in_the_middle_of_a_picture_is_an_error_of_that_picture_only(
    good: Path, slow: Path
) -> None:
    with DecoderPool(1) as pool:
        pool.inspect(good)
        done = threading.Event()
        killer = threading.Thread(target=kill_children, args=(pool, done))
        killer.start()
        error = assert_refused("decoder_died", pool, slow)
        done.set()
        killer.join()
        assert error.transient
        assert pool.inspect(good).width == 96


def kill_children(pool: DecoderPool, done: threading.Event) -> None:
    while not done.wait(0.3):
        for pid in pool.pids():
            os.kill(pid, signal.SIGKILL)


def test_death_between_pictures_goes_unnoticed(good: Path) -> None:
    with DecoderPool(1) as pool:
        pool.inspect(good)
        (pid,) = pool.pids()
        os.kill(pid, signal.SIGKILL)
        wait_until_dead(pid)
        assert pool.inspect(good).width == 96


@linux_only
def test_child_inherits_no_secrets_and_no_files(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for children")
    with (tmp_path / "open in the parent").open("wb"), DecoderPool(1) as pool:
        pool.inspect(good)
        process = Path("/proc") / str(pool.pids()[0])
        assert b"not for children" not in (process / "environ").read_bytes()
        files = {str(link.readlink()) for link in (process / "fd").iterdir()}
    assert not any(str(tmp_path) in file for file in files)


@linux_only
def test_child_runs_under_limits_of_the_system(good: Path) -> None:
    with DecoderPool(1, Limits(memory_mb=512, seconds=7)) as pool:
        pool.inspect(good)
        text = (Path("/proc") / str(pool.pids()[0]) / "limits").read_text()
    soft = {line[:26].strip(): line[26:].split()[0] for line in text.splitlines()[1:]}
    assert 512 * 1024**2 <= int(soft["Max address space"]) < 2 * 1024**3
    assert int(soft["Max cpu time"]) <= 2 + 7 * (os.cpu_count() or 1)
    assert soft["Max file size"] == "0"
    assert soft["Max core file size"] == "0"
    assert int(soft["Max open files"]) <= 16


def runs(pid: int) -> bool:
    """Whether there is such a process that is not yet dead."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_dead(pid: int) -> None:
    """Dead, but still to be waited for by its parent."""
    deadline = time.monotonic() + 10
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
