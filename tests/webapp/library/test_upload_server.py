"""Uploads to the real web server: cut connections, killed processes, full disks."""

import hashlib
import io
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.webapp.library.web_server import Answer, WebServer, web_server

pytestmark = pytest.mark.processes

MEGABYTE = 1 << 20


def a_large_photo(seed: int, *, megabytes: float = 3) -> bytes:
    """A BMP of noise, since nothing makes that smaller."""
    side = round((megabytes * MEGABYTE / 3) ** 0.5)
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "BMP")
    return file.getvalue()


def send_half(server: WebServer, url: str, data: bytes) -> None:
    """Begin a PATCH with everything and break the connection in its middle."""
    headers = server.headers(Upload_Offset="0", Content_Length=str(len(data)), Host="localhost")
    lines = [f"PATCH {url} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    with server.connect() as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + data[: len(data) // 2])
        wait_for_bytes(server, url)


def wait_for_bytes(server: WebServer, url: str) -> None:
    """Until the server has written something of the upload."""
    path = server.data / "uploads" / url.rsplit("/", 1)[-1]
    deadline = time.monotonic() + 20
    while path.stat().st_size == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def send_rest(server: WebServer, url: str, data: bytes) -> Answer:
    """Go on where the server says, once it has noticed that the other connection is gone."""
    for _ in range(100):
        offset = server.offset(url)
        answer = server.ask("PATCH", url, data[offset:], Upload_Offset=str(offset))
        if answer.status != 423:
            return answer
        time.sleep(0.1)
    return answer


def original(server: WebServer, data: bytes) -> Path:
    sha256 = hashlib.sha256(data).hexdigest()
    return server.data / "originals" / sha256[:2] / sha256[2:4] / sha256


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with web_server(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


def test_an_upload_survives_a_cut_connection(server: WebServer) -> None:
    data = a_large_photo(1)
    url = server.announce(len(data))
    send_half(server, url, data)
    answer = send_rest(server, url, data)
    assert json.loads(answer.body)["outcome"] == "new"
    assert original(server, data).read_bytes() == data


def test_an_upload_survives_a_killed_server(server: WebServer) -> None:
    data = a_large_photo(2)
    url = server.announce(len(data))
    send_half(server, url, data)
    server.stop(signal.SIGKILL)
    server.start()
    assert 0 < server.offset(url) < len(data)
    answer = send_rest(server, url, data)
    assert json.loads(answer.body)["outcome"] == "new"
    assert original(server, data).read_bytes() == data


def test_the_same_file_from_four_connections_at_once_is_one_photo(server: WebServer) -> None:
    data = a_large_photo(3)

    def upload(_: int) -> str:
        answer = server.ask("POST", "/upload/files", data, Upload_Length=str(len(data)))
        return json.loads(answer.body)["outcome"]

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(upload, range(4)))
    assert outcomes == ["known", "known", "known", "new"]


def test_a_refusal_is_heard_although_the_file_was_sent_along(server: WebServer) -> None:
    """The server answers before it has read the body, which it has to do without a reset."""
    data = b"x" * (8 * MEGABYTE)
    answer = server.ask("POST", "/upload/files", data, Upload_Length=str(300 * MEGABYTE))
    assert answer.status == 413
    assert "at most 200 MB" in json.loads(answer.body)["error"]["message"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    tmp_path /= "disk"
    tmp_path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_is_told_and_nothing_is_half_written(small_disk: Path) -> None:
    """Database, uploads and originals all share the disk that fills up."""
    with web_server(small_disk / "data") as server:
        added, answer = [], None
        for seed in range(20):
            data = a_large_photo(seed, megabytes=1)
            answer = server.ask("POST", "/upload/files", data, Upload_Length=str(len(data)))
            if answer.status != 201:
                break
            added.append(data)
        assert answer is not None
        assert answer.status == 507, answer.body
        assert "disk is full" in json.loads(answer.body)["error"]["message"]
        assert added

        assert [path for path in (server.data / "uploads").iterdir() if path.is_file()] == []
        stored = [path for path in (server.data / "originals").rglob("*") if path.is_file()]
        assert sorted(path.name for path in stored) == sorted(
            hashlib.sha256(data).hexdigest() for data in added
        )
        assert all(original(server, data).read_bytes() == data for data in added)

        original(server, added[0]).unlink()  # somebody makes room
        original(server, added[1]).unlink()
        again = a_large_photo(99, megabytes=0.5)
        answer = server.ask("POST", "/upload/files", again, Upload_Length=str(len(again)))
        assert json.loads(answer.body)["outcome"] == "new"
