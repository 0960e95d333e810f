"""What happens to the files of an index: damage, interrupted builds, two builders."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from search.errors import IndexBusy, IndexDamaged, IndexMissing
from search.index import FaissIndex, build_base, open_base, set_aside
from search.index import build as build_module
from tests.search.test_index import DIM, unit_vectors

COUNT = 200


def build(folder: Path, *, mark: int = 1, seed: int = 1) -> None:
    batches = [(range(COUNT), unit_vectors(COUNT, seed=seed))]
    build_base(folder, version="v", high_water_mark=mark, batches=batches, dim=DIM, kind="ivf")


def files_of(folder: Path) -> list[Path]:
    return [*folder.glob("base-*/*"), folder / "manifest.json"]


def flip_a_bit(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def truncate(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


@pytest.mark.parametrize("damage", [flip_a_bit, truncate])
def test_damage_anywhere_is_noticed(
    tmp_path: Path, damage: Callable[[Path, random.Random], None]
) -> None:
    build(tmp_path)
    chance = random.Random(3)
    for path in files_of(tmp_path):
        intact = path.read_bytes()
        for _ in range(15):
            damage(path, chance)
            with pytest.raises(IndexDamaged):
                open_base(tmp_path)
            path.write_bytes(intact)

    assert open_base(tmp_path).manifest.count == COUNT


def test_a_missing_file_is_damage(tmp_path: Path) -> None:
    build(tmp_path)
    next(tmp_path.glob("base-*/vectors.bin")).unlink()

    with pytest.raises(IndexDamaged, match="missing"):
        open_base(tmp_path)


def test_a_damaged_index_set_aside_is_missing_and_can_be_built_again(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "manifest.json").write_text("{")

    assert set_aside(tmp_path) == tmp_path / "manifest.json.damaged"
    assert set_aside(tmp_path) is None
    with pytest.raises(IndexMissing):
        open_base(tmp_path)
    build(tmp_path)
    assert open_base(tmp_path).manifest.count == COUNT


class PowerCut(BaseException):
    """Stands for the end of the process: nothing after it runs."""


@pytest.mark.parametrize("step", ["_write_index", "_synced", "sync", "_clear_away"])
def test_a_build_cut_short_leaves_a_whole_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    build(tmp_path, mark=1)

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(build_module, step, cut)
        with pytest.raises(PowerCut):
            build(tmp_path, mark=2, seed=2)

    in_use = open_base(tmp_path).manifest.high_water_mark
    assert in_use == (2 if step == "_clear_away" else 1)
    build(tmp_path, mark=3)
    assert open_base(tmp_path).manifest.high_water_mark == 3
    assert not list(tmp_path.glob("building-*"))


def test_processes_with_the_old_base_keep_searching_it(tmp_path: Path) -> None:
    build(tmp_path, seed=1)
    old = FaissIndex(open_base(tmp_path))
    for mark in range(2, 6):
        build(tmp_path, mark=mark, seed=2)

    scores, ids = old.search(unit_vectors(COUNT, seed=1)[17], 1)
    assert ids[0, 0] == 17
    assert scores[0, 0] == pytest.approx(1, abs=1e-3)
    assert len(list(tmp_path.glob("base-*"))) == 2


def test_only_one_process_builds_at_a_time(tmp_path: Path) -> None:
    def batches() -> Iterator[tuple[list[int], np.ndarray]]:
        yield [1], unit_vectors(1, seed=1)
        with pytest.raises(IndexBusy):
            build(tmp_path)

    build_base(tmp_path, version="v", high_water_mark=1, batches=batches(), dim=DIM)
    assert open_base(tmp_path).manifest.count == 1


@pytest.mark.parametrize("ids", [[2, 1], [1, 1], [-1, 3]])
def test_ids_out_of_order_are_refused(tmp_path: Path, ids: list[int]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        build_base(
            tmp_path,
            version="v",
            high_water_mark=1,
            batches=[(ids, unit_vectors(2, seed=1))],
            dim=DIM,
        )
