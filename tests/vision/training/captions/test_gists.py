"""What sentences are about, by the sum of their words."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from vision.backbones.base import Features
from vision.heads.gist import NOBODY, Gist, Judge, Judges, load_judges
from vision.training.captions.data import build_vocabulary
from vision.training.captions.gists import GistTraining, fit_gist
from vision.training.publish import save_half
from vision.versions import Version, open_version

SPECIAL = 2


@pytest.fixture
def gist() -> Gist:
    torch.manual_seed(3)
    gist = Gist(6, special=SPECIAL, dim=4)
    torch.nn.init.normal_(gist.vectors)
    return gist.requires_grad_(False)


def test_a_gist_is_a_unit_vector_whatever_the_order_of_words(gist: Gist) -> None:
    one, other = gist(torch.tensor([[2, 3, 5], [5, 2, 3]]))
    assert one.norm().item() == pytest.approx(1.0)
    assert torch.allclose(one, other)


def test_special_words_and_padding_count_nothing(gist: Gist) -> None:
    assert torch.allclose(gist(torch.tensor([2, 3])), gist(torch.tensor([2, 3, 0, 1, -100])))


def test_a_judge_compares_each_sentence_with_its_own_photo(gist: Gist) -> None:
    about_2, about_3 = gist(torch.tensor([[2], [3]]))
    judge = Judge(gist, torch.stack([about_2, about_3]), weight=5.0)
    words = torch.tensor([[[2], [3]], [[2], [3]]])
    scores = judge.scores(words, torch.tensor([1, 0]))
    assert scores[0, 1].item() == pytest.approx(5.0)
    assert scores[1, 0].item() == pytest.approx(5.0)
    assert scores[0, 0] < 5.0


def test_without_embeddings_nobody_judges(gist: Gist) -> None:
    judges = Judges({"en": gist}, 1.0)
    parts = [np.zeros((1, 4), np.float32)] * 4
    assert judges.of("en", Features(*parts)) is None
    embedded = Features(*parts, embeddings=np.ones((1, 4), np.float32))
    assert judges.of("en", embedded) is not None
    assert judges.of("de", embedded) is None


def test_words_learn_to_sum_up_to_what_an_encoder_says_of_sentences() -> None:
    rng = np.random.default_rng(0)
    names = ["dog", "cat", "beach", "snow", "red", "blue"]
    meaning = rng.normal(size=(len(names), 16)).astype(np.float32)
    chosen = [rng.choice(len(names), 3, replace=False) for _ in range(200)]
    texts = [" ".join(names[each] for each in own) for own in chosen]
    said = np.stack([meaning[own].sum(axis=0) for own in chosen])
    said /= np.linalg.norm(said, axis=1, keepdims=True)
    words = build_vocabulary(texts, fewest_uses=1)
    config = GistTraining(steps=200, batch=64, rate=2e-2)
    gist = fit_gist(texts, said, words, language="en", config=config)
    numbers = torch.from_numpy(np.stack([words.numbers(text) for text in texts]))
    cosines = (gist(numbers) * torch.from_numpy(said)).sum(dim=-1)
    assert cosines.mean() > 0.97


def test_gists_say_nothing_to_another_text_side(tmp_path: Path) -> None:
    shipped = open_version("lite2-2026.11")
    save_half(torch.nn.ModuleDict({"en": Gist(6, special=SPECIAL)}), tmp_path / "g.safetensors")
    content = (tmp_path / "g.safetensors").read_bytes()
    texts = shipped.manifest["files"][shipped.part("text")["onnx"]]["sha256"]
    spec = {
        "gists": "g.safetensors",
        "judging": {"weight": 2.0, "texts": texts},
        "config": {"vocabularies": {"en": 6}},
    }
    own = {"g.safetensors": {"sha256": _sha256(content), "bytes": len(content)}}
    files = shipped.manifest["files"] | own
    version = Version(tmp_path, shipped.manifest | {"files": files})
    assert load_judges(version, spec, {"en": SPECIAL}, "cpu").weight == 2.0
    spec["judging"]["texts"] = "0" * 64
    assert load_judges(version, spec, {"en": SPECIAL}, "cpu") is NOBODY


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
