"""Fetching a file over a real connection that breaks, lies, redirects or is not there."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request

import numpy as np
import pytest

from tests.vision.model_server import ModelServer, remote_file, serving
from vision.errors import PullError
from vision.pulling import fetching, pins
from vision.pulling.catalogue import CATALOGUE
from vision.pulling.fetching import fetch

CONTENT = np.random.default_rng(0).bytes(3_000_000)
FILE = remote_file("some/model.safetensors", CONTENT)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as server:
        server.files["/some/model.safetensors"] = CONTENT
        yield server


def _fetch(server: ModelServer, folder: Path, **options: object) -> str:
    return fetch(FILE, folder, mirror=server.address, pause=lambda _: None, **options)  # type: ignore[arg-type]


def _kept(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_a_file_arrives_whole_with_its_hash_and_says_how_far_it_is(
    server: ModelServer, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    digest = _fetch(server, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert (tmp_path / FILE.name).read_bytes() == CONTENT
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_a_broken_connection_is_taken_up_where_it_broke(
    server: ModelServer, tmp_path: Path
) -> None:
    server.break_after = [1_000_000, 500_000]
    _fetch(server, tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT
    ranges = [wanted for _, wanted in server.asked]
    assert ranges == ["", "bytes=1000000-", "bytes=1500000-"]


def test_a_later_call_goes_on_with_what_an_earlier_one_left(
    server: ModelServer, tmp_path: Path
) -> None:
    (tmp_path / f"{FILE.name}.partial").write_bytes(CONTENT[:2_000_000])
    _fetch(server, tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT
    assert server.asked == [("/some/model.safetensors", "bytes=2000000-")]


def test_a_connection_that_never_brings_a_byte_is_given_up_and_what_came_is_kept(
    server: ModelServer, tmp_path: Path
) -> None:
    server.break_after = [1_000_000, *[0] * fetching.ATTEMPTS]
    with pytest.raises(PullError, match=r"ended after .* 1 MB that came are kept"):
        _fetch(server, tmp_path)
    assert _kept(tmp_path) == {f"{FILE.name}.partial": 1_000_000}
    _fetch(server, tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT


def test_a_server_without_ranges_is_asked_for_everything_again(
    server: ModelServer, tmp_path: Path
) -> None:
    server.knows_ranges = False
    server.break_after = [1_000_000]
    _fetch(server, tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT


def test_other_bytes_are_refused_and_removed(server: ModelServer, tmp_path: Path) -> None:
    server.files["/some/model.safetensors"] = CONTENT[:-1] + b"?"
    with pytest.raises(PullError, match=r"SHA-256 begins with .* removed unopened"):
        _fetch(server, tmp_path)
    assert _kept(tmp_path) == {}


def test_a_file_that_is_here_is_verified_and_not_fetched_again(
    server: ModelServer, tmp_path: Path
) -> None:
    _fetch(server, tmp_path)
    _fetch(server, tmp_path)
    assert len(server.asked) == 1
    (tmp_path / FILE.name).write_bytes(b"altered")
    with pytest.raises(PullError, match="removed unopened"):
        _fetch(server, tmp_path)
    assert _kept(tmp_path) == {}


@pytest.mark.parametrize("content", [CONTENT + b"more", CONTENT[:-5]])
def test_a_file_of_another_size_is_not_taken(
    server: ModelServer, tmp_path: Path, content: bytes
) -> None:
    server.files["/some/model.safetensors"] = content
    with pytest.raises(PullError, match=r"must have 3,000,000. It was not taken"):
        _fetch(server, tmp_path)
    assert _kept(tmp_path) == {}


def test_an_unknown_file_is_named_with_the_answer(server: ModelServer, tmp_path: Path) -> None:
    server.files.clear()
    with pytest.raises(PullError, match=r"answers 404 .*some/model.safetensors"):
        _fetch(server, tmp_path)


def test_without_a_network_a_sentence_says_so_and_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(PullError, match=r"127.0.0.1 cannot be reached .*MAREA_MODELS_URL"):
        fetch(FILE, tmp_path)  # nobody listens on the port that the catalogue names


def test_a_redirect_to_another_place_is_followed(server: ModelServer, tmp_path: Path) -> None:
    server.redirects["/some/model.safetensors"] = "/elsewhere"
    server.files["/elsewhere"] = CONTENT
    _fetch(server, tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_a_redirect_to_anything_but_http_is_refused(
    server: ModelServer, tmp_path: Path, target: str
) -> None:
    server.redirects["/some/model.safetensors"] = target
    with pytest.raises(PullError, match=r"not followed|not allowed"):
        _fetch(server, tmp_path)
    assert _kept(tmp_path) == {}


def test_an_encrypted_connection_stays_encrypted() -> None:
    redirects = fetching._Redirects()
    for leads_to, allowed in {"https://b.example/x": True, "http://b.example/x": False}.items():
        request = Request("https://a.example/x")
        if allowed:
            assert redirects.redirect_request(request, io.BytesIO(), 302, "", {}, leads_to)
        else:
            with pytest.raises(PullError, match="not followed"):
                redirects.redirect_request(request, io.BytesIO(), 302, "", {}, leads_to)


def test_redirects_in_a_circle_end(server: ModelServer, tmp_path: Path) -> None:
    server.redirects["/some/model.safetensors"] = "/some/model.safetensors"
    with pytest.raises(PullError, match="answers 302"):
        _fetch(server, tmp_path)


def test_a_full_disk_is_told_before_anything_is_written(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "SPARE_BYTES", 1 << 60)
    with pytest.raises(PullError, match=r"3 MB are still to be fetched, but the disk has only"):
        _fetch(server, tmp_path)
    assert _kept(tmp_path) == {}


def test_what_was_fetched_once_must_stay_the_same(server: ModelServer, tmp_path: Path) -> None:
    """Where only the beginning of a hash is known, the first fetch says what it is."""
    short = remote_file("some/model.safetensors", CONTENT, sha256=FILE.sha256[:8], at_most=True)
    digest = fetch(short, tmp_path, mirror=server.address)
    pins.pin(tmp_path / "pins.json", short, digest)
    (tmp_path / short.name).unlink()
    assert pins.pinned(tmp_path / "pins.json", short) == FILE.sha256
    other = FILE.sha256[:8] + "0" * 56
    with pytest.raises(PullError, match="removed unopened"):
        fetch(short, tmp_path, mirror=server.address, sha256=other)


def test_a_file_may_be_smaller_but_not_larger_than_the_most_it_can_be(
    server: ModelServer, tmp_path: Path
) -> None:
    at_most = {"sha256": FILE.sha256[:8], "at_most": True}
    small = remote_file("some/model.safetensors", CONTENT, size_bytes=1000, **at_most)
    with pytest.raises(PullError, match="at most 1,000"):
        fetch(small, tmp_path, mirror=server.address)
    large = remote_file("some/model.safetensors", CONTENT, size_bytes=1 << 30, **at_most)
    assert fetch(large, tmp_path, mirror=server.address) == FILE.sha256


def test_damaged_pins_are_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "pins.json").write_text("{")
    with pytest.raises(PullError, match="damaged"):
        pins.pinned(tmp_path / "pins.json", FILE)


def test_every_file_of_the_catalogue_is_pinned_to_a_commit_and_a_hash() -> None:
    """Of the one file that its maker names by eight digits only, those eight."""
    for entry in CATALOGUE.values():
        for file in entry.files:
            assert file.host.startswith("https://")
            assert int(file.sha256, 16) > 0
            if file.host == "https://download.pytorch.org":
                assert file.sha256 == "0cc3c7bd"
                assert f"-{file.sha256}." in file.name
            else:
                assert len(file.sha256) == 64
                assert not file.at_most
                assert len(file.path.split("/")[3]) == 40
