"""The text side that ships: no torch, any text, unit length."""

import subprocess
import sys

import numpy as np
import pytest

from vision.text_encoder import TextEncoder, load_text_encoder

ODD = ["", " ", "!!! ???", "🦊🌊", "日本の海", "\x00", "\ud800", "word " * 5000, "a" * 10_000]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return load_text_encoder()


def test_the_import_path_is_free_of_torch() -> None:
    program = (
        "import sys, vision, vision.sight, vision.versions, vision.text_encoder as t\n"
        "t.load_text_encoder().encode(['a dog'])\n"
        "assert not {'torch', 'onnx', 'transformers'} & set(sys.modules), 'heavy library loaded'"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_batch_encodes_like_its_members_one_by_one(encoder: TextEncoder) -> None:
    texts = ["a dog", "two dogs running on the beach at sunset", "", "Rot"]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("text", ODD)
def test_any_text_becomes_a_unit_vector(encoder: TextEncoder, text: str) -> None:
    (embedding,) = encoder.encode([text])
    assert embedding.shape == (512,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-5)


def test_case_does_not_matter(encoder: TextEncoder) -> None:
    lower, upper = encoder.encode(["a black dog", "A BLACK DOG"])
    assert lower == pytest.approx(upper, abs=1e-5)


def test_like_texts_are_near_and_unlike_ones_far(encoder: TextEncoder) -> None:
    dog, puppy, car = encoder.encode(
        ["a dog runs through the snow", "a puppy running in snow", "a red car in the city"]
    )
    assert dog @ puppy > dog @ car + 0.2


def test_no_texts_give_no_rows(encoder: TextEncoder) -> None:
    assert encoder.encode([]).shape == (0, 512)


def test_one_bare_text_is_a_mistake_that_is_told(encoder: TextEncoder) -> None:
    with pytest.raises(TypeError, match="sequence of texts"):
        encoder.encode("a dog")
