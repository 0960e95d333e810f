"""Labels of folders in every layout, and how well single words find photos."""

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.vision.folders import add_png, draw, write_collection
from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.keywords import average_precision, keywords
from vision.eye import Eye, load_eye
from vision.text_encoder import load_text_encoder


@pytest.fixture(scope="module")
def eye() -> Eye:
    return load_eye(device="cpu")


def write_classes(folder: Path) -> Path:
    """One tar for both splits, as `scenes` has it: red circles and yellow circles."""
    folder.mkdir(parents=True)
    rows = ["split,file,class"]
    with tarfile.open(folder / "photos.tar", "w") as tar:
        for number in (0, 3, 6, 9):
            colour = "red_thing" if number % 6 == 0 else "yellow_thing"
            rows.append(f"{'test' if number > 3 else 'train'},{colour}/{number}.png,{colour}")
            add_png(tar, f"{colour}/{number}.png", draw(number))
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_one_tar_may_hold_every_split(tmp_path: Path) -> None:
    collection = Collection(write_classes(tmp_path / "classes"))
    assert [name for name, _ in collection.photos("train")] == [
        "red_thing/0.png",
        "yellow_thing/3.png",
    ]
    assert collection.labels("test") == {
        "red_thing/6.png": ["red thing"],
        "yellow_thing/9.png": ["yellow thing"],
    }
    with pytest.raises(DataMissing, match="split 'nonsense'"):
        list(collection.photos("nonsense"))


def test_a_table_without_splits_is_of_any_split(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "classes")
    (folder / "labels.csv").write_text("file,class_name\nred_thing/0.png,tench\n", "utf-8")
    collection = Collection(folder)
    assert collection.labels("whatever") == {"red_thing/0.png": ["tench"]}
    assert [name for name, _ in collection.photos("whatever")] == ["red_thing/0.png"]


def test_photos_may_have_several_labels_or_none(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "shapes", train=2, dev=3)
    with gzip.open(folder / "photos.csv.gz", "wt", encoding="utf-8") as table:
        table.write("split,file,labels\ndev,00002.png,person;dog\ndev,00003.png,\n")
    assert Collection(folder).labels("dev") == {"00002.png": ["person", "dog"]}
    assert Collection(folder).labels("train") is None


def test_keywords_report_precision_by_label(tmp_path: Path, eye: Eye) -> None:
    folder = write_classes(tmp_path / "classes")
    figures = keywords(folder, "test", eye=eye, text_encoder=load_text_encoder())
    assert figures["photos"] == 2
    assert figures["by_word"].keys() == {"red thing", "yellow thing"}
    assert figures["map"] == pytest.approx(np.mean(list(figures["by_word"].values())))
    assert 0.5 <= figures["map"] <= 1.0, "one right of two is found first or second"


def test_keywords_need_labels(tmp_path: Path, eye: Eye) -> None:
    folder = write_collection(tmp_path / "shapes", train=2, dev=2)
    with pytest.raises(DataMissing, match="no labels of the split 'dev'"):
        keywords(folder, "dev", eye=eye, text_encoder=load_text_encoder())


@pytest.mark.parametrize(
    ("order", "expected"),
    [([1, 1, 0, 0], 1.0), ([0, 0, 1, 1], (1 / 3 + 2 / 4) / 2), ([1, 0, 1], 5 / 6), ([0, 0], 0.0)],
)
def test_average_precision_by_hand(order: list[int], expected: float) -> None:
    assert average_precision(np.array(order, bool)) == pytest.approx(expected)
