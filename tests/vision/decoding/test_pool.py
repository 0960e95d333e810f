"""Processes are started late, shared by threads, replaced, and given back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from tests.hostile.sample import encode, jpeg
from vision.decoding import (
    DecoderBusy,
    DecoderPool,
    DecoderUnavailable,
    Inspection,
    Limits,
    Rendering,
    UnreadableImage,
)
from vision.decoding.__main__ import main
from vision.decoding.children import Children


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Twenty photos of different widths."""
    paths = [tmp_path / f"{number}.jpg" for number in range(20)]
    for number, path in enumerate(paths):
        path.write_bytes(jpeg(Image.new("RGB", (40 + number, 30), "teal")))
    return paths


@pytest.fixture
def own() -> Iterator[DecoderPool]:
    with DecoderPool(2) as pool:
        yield pool


def test_no_process_before_the_first_file(own: DecoderPool, paths: list[Path]) -> None:
    assert own.pids() == []
    own.inspect(paths[0])
    own.inspect(paths[1])
    assert len(own.pids()) == 1  # the second file found the first process free


def test_threads_share_a_pool(own: DecoderPool, paths: list[Path]) -> None:
    with ThreadPoolExecutor(8) as threads:
        inspections = list(threads.map(own.inspect, paths * 5))
    assert [found.width for found in inspections] == [40 + n for n in range(20)] * 5
    assert len(own.pids()) == 2


def test_render_many_keeps_the_order_and_lets_bad_files_fail_alone(
    own: DecoderPool, paths: list[Path], tmp_path: Path
) -> None:
    paths[3].write_bytes(b"no photo")
    paths[7] = tmp_path / "lost.jpg"
    results = list(own.render_many(paths, network_size=8, thumbnails={}))
    codes = {n: r.code for n, r in enumerate(results) if isinstance(r, UnreadableImage)}
    assert codes == {3: "not_an_image", 7: "file_missing"}
    widths = {n: r.width for n, r in enumerate(results) if isinstance(r, Rendering)}
    assert widths == {n: 40 + n for n in range(20) if n not in codes}


def test_who_may_not_wait_for_a_busy_child_is_told_so() -> None:
    children = Children(1, Limits(), recycle_after=9, max_wait_s=0.01)
    with children.lend() as child:
        with pytest.raises(DecoderBusy), children.lend():
            pass
        assert child.alive
    with children.lend() as again:
        assert again is child
    children.close()


def test_process_is_replaced_after_so_many_files(paths: list[Path]) -> None:
    with DecoderPool(1, recycle_after=3) as pool:
        pids = set()
        for path in paths[:7]:
            pool.inspect(path)
            pids.update(pool.pids())
        assert len(pids) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_file_stays_open(paths: list[Path]) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    paths[1].write_bytes(b"GIF89a no photo")
    before = open_files()
    for _ in range(2):
        with DecoderPool(2, recycle_after=8) as pool:
            list(pool.render_many(paths, network_size=None, thumbnails={"s": 32}))
    assert open_files() == before


def test_closed_pool_leaves_no_process_and_takes_no_file(paths: list[Path]) -> None:
    pool = DecoderPool(1)
    pool.inspect(paths[0])
    (pid,) = pool.pids()
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError, match="closed"):
        pool.inspect(paths[0])


def test_forked_copy_starts_processes_of_its_own(own: DecoderPool, paths: list[Path]) -> None:
    own.inspect(paths[0])
    before = own.pids()
    copy = os.fork()
    if copy == 0:
        try:
            good = own.inspect(paths[0]).width == 40 and not set(own.pids()) & set(before)
            own.close()
        except BaseException:
            good = False
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) == 0
    assert own.inspect(paths[1]).width == 41
    assert own.pids() == before


def test_broken_installation_is_no_fault_of_the_file(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with DecoderPool(1) as pool:
        with pytest.raises(DecoderUnavailable):
            pool.inspect(paths[0])
        monkeypatch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(DecoderUnavailable):
            pool.inspect(paths[0])
        monkeypatch.undo()
        assert pool.inspect(paths[0]).width == 40


@pytest.mark.parametrize("name", ["missing.jpg", "nul\0.jpg", ".", "pipe"])
def test_what_is_no_regular_file_is_refused_at_once(
    name: str, own: DecoderPool, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableImage) as caught:
        own.inspect(str(tmp_path) + "/" + name)
    assert caught.value.code == "file_missing"


def test_path_may_be_relative(
    own: DecoderPool, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(paths[0].parent)
    assert own.inspect("0.jpg").width == 40


def test_path_may_hold_any_bytes(own: DecoderPool, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9 memory truncated.jpg"
    with open(path, "wb") as file:  # noqa: PTH123  a name that is not UTF-8
        file.write(jpeg())
    assert isinstance(own.inspect(os.fsdecode(path)), Inspection)


def test_pool_needs_a_child() -> None:
    with pytest.raises(ValueError, match="at least one"):
        DecoderPool(0, Limits())


def test_decoding_loads_neither_torch_nor_django() -> None:
    program = (
        "import sys, vision.decoding, vision.decoding.child;"
        "print([name for name in ('torch', 'django', 'celery') if name in sys.modules])"
    )
    root = Path(__file__).parents[3]
    output = subprocess.check_output([sys.executable, "-c", program], cwd=root, text=True)
    assert output.strip() == "[]"


def test_command_prints_one_line_for_each_file(
    paths: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").touch()
    assert main([str(paths[0]), str(tmp_path / "empty")]) == 1
    photo, empty = map(json.loads, capsys.readouterr().out.splitlines())
    assert (photo["width"], photo["media_type"]) == (40, "image/jpeg")
    assert empty["code"] == "empty"


def test_photo_is_decoded_by_content(own: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo.gif"
    path.write_bytes(encode(Image.new("RGB", (9, 7)), "BMP"))
    found = own.inspect(path)
    assert (found.format, found.media_type) == ("BMP", "image/bmp")
