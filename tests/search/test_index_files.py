"""What happens to the files of an index: damage, interrupted builds, two builders."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from search.errors import IndexBusy, IndexDamaged, IndexMissing
from search.index import FolderStore, LayeredIndex, Selection, build_base, open_base, set_aside
from search.index import base as base_module
from search.index.manifest import Kind
from tests.search.index_machine import DIM, unit_vectors

COUNT = 200
ROOT = Path(__file__).parents[2]


def build(folder: Path, *, mark: int = 1, seed: int = 1, kind: Kind = "ivf") -> None:
    batches = [(range(COUNT), unit_vectors(COUNT, seed=seed))]
    build_base(folder, version="v", high_water_mark=mark, batches=batches, dim=DIM, kind=kind)


def files_of(folder: Path) -> list[Path]:
    return [*folder.glob("base-*/*"), folder / "manifest.json"]


def flip_a_bit(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def truncate(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


@pytest.mark.parametrize("damage", [flip_a_bit, truncate])
@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_damage_anywhere_is_noticed(
    tmp_path: Path, kind: Kind, damage: Callable[[Path, random.Random], None]
) -> None:
    """Each file is damaged 25 times: before anything is searched, or by reading all of it; what is
    searched until then may be wrong by a rank, but harms nothing."""
    build(tmp_path, kind=kind)
    chance = random.Random(3)
    for path in files_of(tmp_path):
        intact = path.read_bytes()
        for _ in range(25):
            damage(path, chance)
            with pytest.raises(IndexDamaged):
                searched_and_verified(tmp_path)
            path.write_bytes(intact)

    searched_and_verified(tmp_path)


def test_ids_that_damage_made_up_are_never_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes and ids of cells are not read before a base is opened, so nobody has checked them."""
    monkeypatch.setattr(base_module, "EXACT_UP_TO", 0)
    build(tmp_path)
    (path,) = tmp_path.glob("base-*/index.faiss")
    codes = COUNT * (DIM // 8 + 8)
    with path.open("r+b") as file:
        file.seek(-(codes + COUNT * 8), os.SEEK_END)
        file.write(b"\x7f" * (codes + COUNT * 8))

    base = open_base(tmp_path)
    scores, ids = base.search(unit_vectors(1, seed=1)[0], 5, base.members)
    assert ids.size == scores.size == 0
    with pytest.raises(IndexDamaged):
        base.verify()


def searched_and_verified(folder: Path) -> None:
    base = open_base(folder)
    index = LayeredIndex(base)
    _, found = index.search(unit_vectors(1, seed=1)[0], COUNT + 1)
    assert set(found[0]) <= {-1, *range(COUNT)}
    base.verify()


@pytest.mark.parametrize("name", ["ids.bin", "index.faiss"])
def test_what_is_parsed_is_verified_before_it_is_opened(tmp_path: Path, name: str) -> None:
    build(tmp_path)
    (path,) = tmp_path.glob(f"base-*/{name}")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)

    with pytest.raises(IndexDamaged, match=name):
        open_base(tmp_path)


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


def test_a_builder_killed_at_any_step_leaves_a_whole_index(tmp_path: Path) -> None:
    """A process of its own is killed before each file is opened, forced to disk, renamed or
    removed; whatever is in use afterwards is whole, and the next build clears up."""
    build(tmp_path / "before", mark=1)
    done = subprocess.run(
        [sys.executable, "-m", "tests.search.killed_builder", tmp_path], cwd=ROOT, text=True,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folders = sorted(tmp_path.glob("step-*"))
    assert len(folders) >= 25

    marks = []
    for folder in folders:
        base = open_base(folder)
        base.verify()
        marks.append(base.manifest.high_water_mark)
    assert marks == sorted(marks)  # 1 up to the rename, 2 from then on
    assert set(marks) == {1, 2}

    for folder in folders[::5]:
        build(folder, mark=3)
        assert open_base(folder).manifest.high_water_mark == 3
        assert not list(folder.glob("building-*"))
        assert len(list(folder.glob("base-*"))) <= 2


def test_the_switch_can_be_undone_and_the_undoing_too(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, "v")
    with pytest.raises(IndexMissing):
        store.undo()
    for mark in (1, 2, 3):
        build(tmp_path, mark=mark)
    states = {store.state()}

    for expected in (2, 3, 2):
        assert store.undo().high_water_mark == expected
        assert store.open().manifest.high_water_mark == expected
        states.add(store.state())
    assert len(states) == 2
    assert store.oldest_mark() == 2


def test_the_switch_is_not_undone_to_a_damaged_base(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, "v")
    build(tmp_path, mark=1)
    (path,) = tmp_path.glob("base-*/vectors.bin")
    build(tmp_path, mark=2)
    flip_a_bit(path, random.Random(1))

    with pytest.raises(IndexDamaged):
        store.undo()
    assert store.open().manifest.high_water_mark == 2


def test_the_base_before_takes_the_place_of_a_damaged_one(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, "v")
    build(tmp_path, mark=1)
    build(tmp_path, mark=2)
    damaged = store.manifest().base

    assert store.set_aside(damaged)
    assert not store.set_aside(damaged)  # another process was first
    assert store.open().manifest.high_water_mark == 1


def test_models_never_meet(tmp_path: Path) -> None:
    """Not even where a folder was renamed, or weights were replaced under the same name."""
    FolderStore(tmp_path, "v", "a").build(
        high_water_mark=1, batches=[([1], unit_vectors(1, seed=1))], dim=DIM
    )

    for store in (FolderStore(tmp_path, "w", "a"), FolderStore(tmp_path, "v", "b")):
        with pytest.raises(IndexMissing, match="another model"):
            store.open()
    assert FolderStore(tmp_path, "v", "a").open().manifest.digest == "a"


def test_the_members_of_each_group_are_known_at_once(tmp_path: Path) -> None:
    batches = [([2, 5, 9], unit_vectors(3, seed=1), [7, 8, 7])]
    build_base(tmp_path, version="v", high_water_mark=1, batches=batches, dim=DIM)

    assert open_base(tmp_path).by_group() == {7: Selection.of([2, 9]), 8: Selection.of([5])}


def test_processes_with_the_old_base_keep_searching_it(tmp_path: Path) -> None:
    build(tmp_path, seed=1)
    old = LayeredIndex(open_base(tmp_path))
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
