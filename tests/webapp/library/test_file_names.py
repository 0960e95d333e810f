"""File names are hostile text: kept readable, never trusted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.library.file_names import MAX_LENGTH, folder_of, tidy_file_name, tidy_path


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("beach.jpg", "beach.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\beach.jpg", "beach.jpg"),
        ("a\0b\r\n.jpg", "a b .jpg"),
        ("\u202egpj.exe", "gpj.exe"),
        ("..", "photo"),
        ("", "photo"),
        ("\ud800.jpg", "?.jpg"),
        ("familie 👨‍👩‍👧.jpg", "familie 👨‍👩‍👧.jpg"),
        ("<script>alert(1)<.jpg", "<script>alert(1)<.jpg"),
    ],
)
def test_names_are_tidied(name: str, tidy: str):
    assert tidy_file_name(name) == tidy


def test_a_long_name_keeps_its_ending():
    tidy = tidy_file_name("x" * 500 + ".jpeg")

    assert len(tidy) == MAX_LENGTH
    assert tidy.endswith("….jpeg")


@given(st.text())
def test_any_name_becomes_one_that_can_be_stored_and_is_stable(name: str):
    tidy = tidy_file_name(name)

    assert 0 < len(tidy) <= MAX_LENGTH
    assert "/" not in tidy
    tidy.encode()
    assert tidy_file_name(tidy) == tidy


@pytest.mark.parametrize(
    ("name", "folder", "path"),
    [
        ("a.jpg", "", "a.jpg"),
        ("/home/ana/Italy 2019/a.jpg", "ana/Italy 2019", "ana/Italy 2019/a.jpg"),
        ("C:\\Photos\\a.jpg", "Photos", "Photos/a.jpg"),
        ("../../etc/a.jpg", "etc", "etc/a.jpg"),
        ("x\n\u202ey/.../a.jpg", "x y", "x y/a.jpg"),
        ("/", "", "photo"),
        (f"{'f' * 300}/a.jpg", "f" * 200, f"{'f' * 200}/a.jpg"),
        (f"{'f' * 90}/{'n' * 250}.jpg", "f" * 90, f"{'n' * 250}.jpg"),
    ],
)
def test_the_last_folders_of_a_path_are_kept(name: str, folder: str, path: str) -> None:
    assert folder_of(name) == folder
    assert tidy_path(name) == path
