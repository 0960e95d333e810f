"""Reading what the processor can do."""

from pathlib import Path

import pytest

from tests.vision.folders import draw
from vision.backbones.onnx import OnnxBackbone
from vision.pixels import squash_batch
from vision.processor import has_bfloat16, has_vnni
from vision.versions import open_version


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx2 avx512_vnni", True), ("fpu avx2 avx_vnni", True), ("fpu avx2 avx512f", False)],
)
def test_vnni_is_read_from_the_flags(tmp_path: Path, flags: str, expected: bool) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: X\nflags\t\t: {flags}\n")
    assert has_vnni(cpuinfo) is expected


def test_an_unreadable_list_means_no(tmp_path: Path) -> None:
    assert not has_vnni(tmp_path / "none")


def test_both_paths_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without the guard against overflow, as older and newer processors would run it."""
    version = open_version()
    path = version.path(version.part("backbone")["onnx"])
    pixels = squash_batch([draw(1), draw(2)], 260)
    logits = []
    for guarded in (True, False):
        monkeypatch.setattr("vision.sessions.int8_may_overflow", lambda guarded=guarded: guarded)
        logits.append(OnnxBackbone(path, input_size=260)(pixels).logits)
    if has_vnni(Path("/proc/cpuinfo")):
        assert logits[0] == pytest.approx(logits[1], abs=1e-4)


def test_bfloat16_is_found_among_the_flags(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name\t: some\nflags\t\t: fpu avx512f avx512_bf16\n")
    assert has_bfloat16(cpuinfo)
    cpuinfo.write_text("flags\t\t: fpu avx512f avx512_vnni\n")
    assert not has_bfloat16(cpuinfo)
    assert not has_bfloat16(tmp_path / "missing")
