"""What captions and labels say that photos show."""

import pytest

from vision.evaluation.tag_truth import (
    Written,
    complete_words,
    judged_by_labels,
    labelled,
    mentioned,
    named_in,
    truth,
)


def shown(*captions: str, labels: tuple[str, ...] = ()) -> set[str]:
    return named_in(Written(captions, labels))


@pytest.mark.parametrize(
    ("caption", "word"),
    [
        ("Two dogs play .", "dog"),
        ("A puppy sleeps .", "dog"),
        ("Children at the seaside", "child"),
        ("A surfer rides a wave", "sea"),
        ("A man in a wet suit", "wetsuit"),
        ("A cell phone on a table", "mobile phone"),
    ],
)
def test_captions_name_words_in_many_ways(caption: str, word: str) -> None:
    assert word in shown(caption)


@pytest.mark.parametrize(
    ("caption", "word"),
    [
        ("A man eats a hot dog", "dog"),
        ("A child with a teddy bear", "bear"),
        ("A red fire hydrant", "fire"),
        ("A man in an orange tank top", "tank"),
        ("A man in an orange shirt", "orange"),
        ("A couple of dogs", "couple"),
        ("A category error", "cat"),
        ("She saw a light", "saw"),
    ],
)
def test_captions_mislead(caption: str, word: str) -> None:
    assert word not in shown(caption)


def test_what_shows_a_golden_retriever_shows_a_dog_and_an_animal() -> None:
    assert {"golden retriever", "dog", "animal"} <= shown("A golden retriever .")
    assert "golden retriever" not in shown("A dog .")


def test_one_of_several_captions_is_enough() -> None:
    assert {"dog", "beach"} <= shown("A dog runs .", "Something on a beach .")


def test_labels_name_as_a_whole() -> None:
    assert labelled("car_side") == {"car"}
    assert "person" in shown(labels=("Faces_easy",))
    assert shown(labels=("crocodile_head",)) == {"crocodile", "reptile", "animal"}


def test_a_breed_is_right_where_a_dog_is_named_and_no_other_breed() -> None:
    facts = truth([Written(("a dog",)), Written(("a poodle",)), Written(("a cat",))])
    beagle = facts.words.index("beagle")
    assert facts.right[:, beagle].tolist() == [True, False, False]
    assert not facts.shown[:, beagle].any()


def test_words_of_other_vocabularies_are_judged_by_their_name() -> None:
    facts = truth([Written(("two zorks",)), Written(("a dog",))], others=["zork", "dog"])
    assert facts.of("zork").tolist() == [True, False]
    assert facts.words.count("dog") == 1


def test_labels_are_complete_and_captions_are_not() -> None:
    written = [Written(("a man on a horse",), ("person", "horse")), Written(("a car",), ("car",))]
    facts = truth(written)
    complete = dict(zip(facts.words, complete_words(facts, written), strict=True))
    assert complete["car"]
    assert complete["person"]
    assert not complete["man"]


def test_one_label_says_nothing_of_people_and_streets() -> None:
    facts = truth(
        [Written((), ("accordion",)), Written((), ("lobster",)), Written((), ("street",))]
    )
    judged = dict(zip(facts.words, judged_by_labels(facts), strict=True))
    assert judged["lobster"]
    assert not judged["person"]
    assert not judged["street"]
    assert not judged["zebra"], "nobody labelled zebras"


def test_mentions_are_free_of_broader_words() -> None:
    assert mentioned("a poodle") == {"poodle", "dog"}, "a hint for dogs, but no animal yet"
