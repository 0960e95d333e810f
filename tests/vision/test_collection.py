"""Folders of photos as people really have them: other layouts, and files that are broken."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.vision.folders import draw
from vision.collection import Collection, read_tar, survey
from vision.errors import BadData, DataMissing

HEADER = "split,file,caption\n"


def png(number: int) -> bytes:
    content = io.BytesIO()
    Pillow.fromarray(draw(number, width=12, height=8)).save(content, "PNG")
    return content.getvalue()


def pack(path: Path, files: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def names(folder: Path, split: str = "dev") -> list[str]:
    return [name for name, _ in Collection(folder).photos(split)]


def write_captions(folder: Path, *lines: str, header: str = HEADER) -> None:
    (folder / "captions.en.csv").write_text(header + "".join(f"{line}\n" for line in lines))


def test_photos_may_be_files_in_folders(tmp_path: Path) -> None:
    (tmp_path / "dev" / "seas").mkdir(parents=True)
    (tmp_path / "dev" / "seas" / "a b.png").write_bytes(png(1))
    (tmp_path / "dev" / ".DS_Store").write_bytes(b"rubbish")
    assert names(tmp_path) == ["seas/a b.png"]
    assert Collection(tmp_path).splits() == {"dev"}


def test_photos_of_a_shared_folder_are_told_apart_by_captions(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for number in range(3):
        (tmp_path / "images" / f"{number}.png").write_bytes(png(number))
    write_captions(tmp_path, "val,0.png,one", "test,1.png,two", "test,2.png,three")
    assert names(tmp_path, "val") == ["0.png"]
    assert names(tmp_path, "test") == ["1.png", "2.png"]
    assert Collection(tmp_path).splits() == {"val", "test"}


@pytest.mark.parametrize(("tar", "mode"), [("dev.tar", "w"), ("dev.tar.gz", "w:gz")])
def test_tars_may_be_compressed(tmp_path: Path, tar: str, mode: str) -> None:
    pack(tmp_path / tar, {"a.png": png(1)}, mode)
    assert names(tmp_path) == ["a.png"]


def test_a_split_is_no_other_that_begins_like_it(tmp_path: Path) -> None:
    for tar in ("test.tar", "test-2.tar", "testing.tar"):
        pack(tmp_path / tar, {f"{tar}.png": png(1)})
    assert names(tmp_path, "test") == ["test-2.tar.png", "test.tar.png"]
    with pytest.raises(DataMissing, match="no photos of the split 'tes'"):
        names(tmp_path, "tes")


def test_a_name_is_the_same_however_it_was_packed(tmp_path: Path) -> None:
    pack(tmp_path / "dev.tar", {"./Gro\u0308ße.png": png(1)})  # o and a diaeresis
    write_captions(tmp_path, "dev,Gr\u00f6ße.png,a size")
    assert Collection(tmp_path).captions("dev").keys() == set(names(tmp_path))


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(f'{HEADER}dev,a.png,"He said: ""a, b""\nand left"\n'.encode(), mtime=0),
        f'\ufeff{HEADER}dev,a.png,"He said: ""a, b""\nand left"\n'.encode(),
    ],
)
def test_a_table_may_be_gzipped_or_not_whatever_it_is_called(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "captions.en.csv.gz").write_bytes(data)
    assert Collection(tmp_path).captions("dev") == {"a.png": ['He said: "a, b"\nand left']}


def test_empty_captions_and_other_splits_are_not_asked_for(tmp_path: Path) -> None:
    write_captions(tmp_path, "dev,a.png, ", "dev,b.png,a dog .", "test,b.png,other")
    assert Collection(tmp_path).captions("dev") == {"b.png": ["a dog ."]}
    (tmp_path / "captions.de.csv").write_text("file,caption\nb.png,ein Hund\n")
    assert Collection(tmp_path).captions("any", lang="de") == {"b.png": ["ein Hund"]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"image,text\na.png,dog\n", "no column file and no column caption"),
        ("split,file,caption\ndev,a.png,größer\n".encode("latin-1"), r"not in UTF-8 \(line 2\)"),
        (b"split,file,caption\ndev,a.png,a dog, running\n", "line 2, has 4 fields"),
        (gzip.compress(b"split,file,caption\n" * 99, mtime=0)[:-12], "may be cut off"),
        (b'split,file,caption\ndev,a.png,"' + b"x" * 10_000_001, "line 2, is no CSV"),
    ],
)
def test_a_broken_table_says_where(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "captions.en.csv.gz").write_bytes(data)
    with pytest.raises(BadData, match=message):
        Collection(tmp_path).captions("dev")


def test_what_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    files = {"a.png": png(1), "b.png": png(2)[:90], "c.png": b""}
    pack(tmp_path / "dev.tar", files)
    write_captions(tmp_path, "dev,a.png,one", "dev,gone.png,two")
    assert names(tmp_path) == ["a.png"]
    assert survey(tmp_path, "dev").complaints() == [
        "Left out, as they cannot be read as photos: b.png, c.png.",
        "Tables name photos that are not there: gone.png.",
    ]


def test_names_that_do_not_fit_are_shown_beside_those_that_are_there(tmp_path: Path) -> None:
    pack(tmp_path / "dev.tar", {"images/a.png": png(1)})
    write_captions(tmp_path, *(f"dev,{letter}.png,one" for letter in "abcd"))
    (complaint,) = survey(tmp_path, "dev").complaints()
    assert "a.png, b.png, c.png and 1 more" in complaint
    assert "names such as images/a.png" in complaint


def test_training_takes_whole_tars_alone(tmp_path: Path) -> None:
    broken = pack(tmp_path / "train.tar", {"a.png": png(1), "b.png": b"none"})
    with pytest.raises(BadData, match=r"b.png in .* cannot be read as a photo"):
        list(read_tar(broken))
    broken.write_bytes(b"x" * 2000)
    with pytest.raises(BadData, match="no whole tar"):
        list(read_tar(broken))


def test_a_split_without_a_photo_is_missing(tmp_path: Path) -> None:
    pack(tmp_path / "dev.tar", {"a.png": b"none"})
    with pytest.raises(DataMissing, match="no photo of the split 'dev'"):
        names(tmp_path)


def test_photos_are_upright(tmp_path: Path) -> None:
    turned = Pillow.fromarray(np.zeros((8, 12, 3), np.uint8))
    exif = turned.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    content = io.BytesIO()
    turned.save(content, "JPEG", exif=exif)
    pack(tmp_path / "dev.tar", {"a.jpg": content.getvalue()})
    ((_, image),) = Collection(tmp_path).photos("dev")
    assert image.shape == (12, 8, 3)


@pytest.mark.parametrize(
    ("splits", "measured"),
    [
        (["train", "dev", "test"], "dev"),
        (["train", "test", "val"], "val"),
        (["train", "test"], "test"),
        (["holiday"], "holiday"),
        ([], "dev"),
    ],
)
def test_the_usual_split_is_measured(tmp_path: Path, splits: list[str], measured: str) -> None:
    for split in splits or ["photos"]:
        pack(tmp_path / f"{split}.tar", {"a.png": png(1)})
    assert Collection(tmp_path).split_to_measure() == measured


def test_which_splits_there_are_is_said(tmp_path: Path) -> None:
    for split in ("spring", "autumn"):
        pack(tmp_path / f"{split}-0.tar", {"a.png": png(1)})
    collection = Collection(tmp_path)
    with pytest.raises(DataMissing, match=r"by --split; it has autumn, spring\."):
        collection.split_to_measure()
    with pytest.raises(DataMissing, match=r"no split 'winter'; it has autumn, spring\."):
        collection.split_to_measure("winter")
    assert collection.split_to_measure("spring") == "spring"
