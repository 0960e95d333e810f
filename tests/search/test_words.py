"""Words of documents and of queries are cut and compared alike."""

from hypothesis import given
from hypothesis import strategies as st

from search.words import MAX_WORD_LENGTH, content_words, split, split_file_name


def test_accents_case_and_possessives_do_not_matter() -> None:
    assert split("The Dog’s CAFÉ, naïve—women's") == ["the", "dog", "cafe", "naive", "women"]


def test_a_file_name_is_split_as_people_read_it() -> None:
    assert split_file_name("IMG_2031 BeachDay.jpg") == ["img", "2031", "beach", "day"]
    assert split_file_name("rome2019.HEIC") == ["rome2019", "rome", "2019"]


def test_content_words_leave_out_what_says_nothing() -> None:
    words = content_words("show me photos of the dogs and a dog running")

    assert [word.text for word in words] == ["dogs", "running"]
    assert [word.stem for word in words] == ["dog", "run"]


@given(st.text())
def test_words_are_bare(text: str) -> None:
    for word in split(text) + split_file_name(text):
        assert word.isalnum()
        assert len(word) <= MAX_WORD_LENGTH
