"""The tag head of everyday words, loaded from a version folder as the product loads it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from tests.vision.folders import write_version
from vision.backbones.base import Features
from vision.errors import WeightsError
from vision.heads import TAGGERS
from vision.heads.word_tags import read_word_table
from vision.versions import open_version

TABLE = """\
word,group,broader,classes,threshold,hurtful,person
person,people,,,0.8,,yes
animal,animals,,151 366,0.8,,
dog,animals,animal,151,0.8,,
gorilla,animals,animal,366,0.8,yes,
red,colours,,,0.8,,
"""
SPEC = {
    "name": "calibrated-words",
    "words": "tags.csv",
    "file": "tags.safetensors",
    "person_likely": 0.1,
    "most": 8,
}


def arrays() -> dict[str, Any]:
    """Person by the probe's first feature; animals by their classes; a curve that bends nothing."""
    weights = np.array([[-4, 0, 0, 1], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]], np.float32)
    probe = np.zeros((4, 6), np.float16)
    probe[0, 0] = 1.0
    line = np.linspace(-20, 20, 5, dtype=np.float32)[None]
    return {
        "prompts": np.zeros((4, 512), np.float16),
        "probe": probe,
        "weights": weights,
        "group": np.zeros(4, np.int32),
        "knots": line,
        "values": line.copy(),
    }


def tagger(folder: Path, table: str = TABLE, **changes: Any) -> Any:
    files = {"tags.csv": table.encode(), "tags.safetensors": save(arrays() | changes)}
    version = open_version(write_version(folder / "tiny", files, {"tags": SPEC}))
    return TAGGERS["calibrated-words"](version, SPEC, "cpu")


def features(*, person: float = 0.0, image_class: int | None = None) -> Features:
    logits = np.zeros((1, 1000), np.float32)
    if image_class is not None:
        logits[0, image_class] = 20.0
    pooled = np.array([[person, 0, 0, 0]], np.float32)
    return Features(
        pooled,
        np.zeros((1, 2), np.float32),
        np.zeros((1, 1, 1, 1), np.float32),
        logits,
        embeddings=np.zeros((1, 512), np.float32),
    )


def words(said: list[list[tuple[str, float]]]) -> list[str]:
    return [word for word, _ in said[0]]


def test_the_head_says_the_narrowest_word_that_it_is_sure_of(tmp_path: Path) -> None:
    head = tagger(tmp_path)
    assert words(head(features(image_class=151))) == ["dog"]
    assert words(head(features(person=9.0))) == ["person"]
    assert words(head(features())) == []


def test_a_person_is_never_called_a_gorilla(tmp_path: Path) -> None:
    head = tagger(tmp_path)
    assert words(head(features(image_class=366))) == ["gorilla"]
    assert "gorilla" not in words(head(features(image_class=366, person=4.0)))


def test_a_red_photo_is_red_where_pixels_are_known(tmp_path: Path) -> None:
    head = tagger(tmp_path)
    red = np.tile(np.array([200, 10, 10], np.uint8), (1, head.input_size, head.input_size, 1))
    assert words(head(replace(features(), pixels=red))) == ["red"]


def test_probabilities_are_those_of_the_table(tmp_path: Path) -> None:
    head = tagger(tmp_path)
    (probable,) = head.probabilities(features(person=4.0))
    assert probable[0] == pytest.approx(0.5)
    assert len(probable) == 5


def test_arrays_of_other_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"'probe' in .* has the shape"):
        tagger(tmp_path, probe=np.zeros((3, 6), np.float16))


def test_a_group_without_a_curve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no curve"):
        tagger(tmp_path, group=np.full(4, 7, np.int32))


def test_a_weight_that_is_not_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not a number"):
        tagger(tmp_path, weights=np.full((4, 4), np.nan, np.float32))


def test_a_table_with_an_unknown_broader_word_or_class_is_refused() -> None:
    with pytest.raises(WeightsError, match="later or never"):
        read_word_table(TABLE.replace("dog,animals,animal", "dog,animals,pet"))
    with pytest.raises(WeightsError, match="no ImageNet class 1000"):
        read_word_table(TABLE.replace("151 366", "1000"))
