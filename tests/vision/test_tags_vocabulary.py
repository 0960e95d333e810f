"""The vocabulary of tags: sound tables, and the forms by which people search."""

import subprocess
import sys
from collections import Counter

import pytest

from vision.vocabulary import (
    broader_words,
    hurtful_words,
    plural,
    prompts,
    search_forms,
    vocabulary,
)
from vision.vocabulary.words import GROUPS, read_table

EVERYDAY = {
    "person", "man", "woman", "child", "baby", "crowd", "portrait", "selfie", "dog", "cat", "pizza",
    "beach", "sunset", "birthday", "wedding", "concert", "snow", "night", "document", "screenshot",
    "rain", "car", "bicycle", "mountain", "red",
}  # fmt: skip


def test_everyday_words_are_there_in_good_number() -> None:
    words = vocabulary()
    assert 400 <= len(words) <= 1500
    assert words.keys() >= EVERYDAY


def test_no_word_stands_in_two_tables() -> None:
    names = Counter(row["word"] for group in GROUPS for row in read_table(group))
    assert [name for name, count in names.items() if count > 1] == []


def test_broader_words_exist_and_come_first() -> None:
    seen: set[str] = set()
    for word in vocabulary().values():
        assert not word.broader or word.broader in seen, word.name
        seen.add(word.name)


def test_no_word_is_among_its_own_broader_words() -> None:
    for name in vocabulary():
        assert name not in broader_words(name)


def test_golden_retriever_is_a_dog_is_an_animal() -> None:
    assert broader_words("golden retriever") == ["dog", "animal"]


def test_each_class_belongs_to_one_word() -> None:
    classes = Counter(index for word in vocabulary().values() for index in word.classes)
    assert [index for index, count in classes.items() if count > 1] == []
    assert set(classes) <= set(range(1000))
    assert len(classes) > 850, "the rest are things that nobody searches for"


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("dog", "dogs"),
        ("puppy", "puppies"),
        ("child", "children"),
        ("fire truck", "fire trucks"),
        ("group of people", "groups of people"),
        ("bus", "buses"),
        ("beach", "beaches"),
        ("toy", "toys"),
        ("scissors", "scissors"),
        ("people", "people"),
        ("glass", "glasses"),
    ],
)
def test_plurals(noun: str, expected: str) -> None:
    assert plural(noun) == expected


def test_a_dog_is_searched_for_by_synonyms_plurals_and_broader_words() -> None:
    assert {"dogs", "doggy", "puppies", "animal", "animals"} <= set(search_forms("dog"))
    assert "dog" not in search_forms("dog")


def test_a_broader_word_does_not_answer_for_a_narrower_one() -> None:
    assert "golden retriever" not in search_forms("dog")


def test_words_that_nobody_listed_have_their_plural() -> None:
    assert search_forms("zork") == ["zorks"]


def test_hurtful_words_and_overrides_speak_of_words_that_exist() -> None:
    assert hurtful_words() <= vocabulary().keys()
    assert {"gorilla", "monkey", "pig"} <= hurtful_words()
    assert {row["shows"] for row in read_table("mentions")} - {""} <= vocabulary().keys()


def test_every_word_has_prompts_that_name_it() -> None:
    for word in vocabulary().values():
        assert any(word.name in prompt for prompt in prompts(word))


def test_the_vocabulary_comes_without_torch() -> None:
    code = "import sys, vision.vocabulary; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
