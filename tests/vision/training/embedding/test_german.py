"""German for the text side: words found in sentence pairs, and a short training on top."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vision.heads.embedding import TextTower
from vision.training.embedding.bilingual import (
    BilingualTraining,
    Sentences,
    tokenised,
    train_bilingual,
)
from vision.training.embedding.german import (
    GermanWords,
    extended,
    new_words,
    translated,
    translations,
)
from vision.training.embedding.minilm import minilm_tokenizer, pretrained_minilm
from vision.training.embedding.sentences import TextSide

PAIRS = [
    ("a dog runs", "ein hund läuft"),
    ("a black dog", "ein schwarzer hund"),
    ("a cat runs", "eine katze läuft"),
    ("a black cat", "eine schwarze katze"),
    ("the dog and the cat", "der hund und die katze"),
    ("a girl", "ein mädchen"),
    ("the girl runs", "das mädchen läuft"),
]
WORDS = GermanWords(fewest=1, fewest_suffix=2)


def test_german_words_start_as_their_translations() -> None:
    tokenizer = minilm_tokenizer()
    known = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), 6)).astype(np.float32)
    table = translations(tokenizer, PAIRS, WORDS)
    best = {word: tokenizer.id_to_token(found[0][0]) for word, found in table.items()}
    assert {"hund": "dog", "katze": "cat", "madchen": "girl"}.items() <= best.items()

    (start,) = translated(tokenizer, ["hund"], PAIRS, known, WORDS)
    dog, cat = (known[tokenizer.token_to_id(word)] for word in ("dog", "cat"))
    assert np.linalg.norm(start - dog) < 0.5 * np.linalg.norm(start - cat)


def test_new_words_leave_english_as_it_is() -> None:
    tokenizer = minilm_tokenizer()
    english = ["a zebrafish strandlings"]
    words = new_words(tokenizer, ["ein hund am strandlings", "der hund"], english, WORDS)
    assert "hund" in words
    assert "strandlings" not in words, "English text uses it"
    ours = extended(tokenizer, words)
    assert ours.encode("Hund").ids[1] == tokenizer.get_vocab_size() + words.index("hund")
    assert ours.encode("a dog runs").ids == tokenizer.encode("a dog runs").ids


def test_compounds_end_in_words() -> None:
    tokenizer = minilm_tokenizer()
    german = ["hund schneehund windhund wachhund"] * 2
    words = new_words(tokenizer, german, [], WORDS)
    assert "##hund" in words
    assert "##hund" in extended(tokenizer, words).encode("xylophonhund").tokens


def test_a_word_without_translation_starts_as_its_splinters() -> None:
    tokenizer = minilm_tokenizer()
    known = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), 6)).astype(np.float32)
    (start,) = translated(tokenizer, ["wanderweg"], PAIRS, known, WORDS)
    pieces = tokenizer.encode("wanderweg", add_special_tokens=False).ids
    assert start == pytest.approx(known[pieces].mean(axis=0), abs=1e-6)


@pytest.fixture(scope="module")
def sentences() -> tuple[Sentences, Sentences, torch.Tensor, TextTower]:
    """German and English that should lie where an untrained tower puts the English."""
    torch.manual_seed(0)
    tower = TextTower(hidden=8, dim=16).eval()
    plain, minilm = minilm_tokenizer(), pretrained_minilm()
    words = new_words(plain, [de for _, de in PAIRS], [en for en, _ in PAIRS], WORDS)
    ours = extended(plain, words)
    english = tokenised(ours, [en for en, _ in PAIRS])
    side = TextSide(minilm, tower).eval()
    with torch.inference_mode():
        ids = [torch.tensor([tokens]) for tokens in english]
        targets = torch.cat([side(each, torch.ones_like(each)) for each in ids]).numpy()
    even = np.ones(len(PAIRS))
    start = translated(plain, words, PAIRS, minilm.words.known.numpy(), WORDS)
    german = Sentences(tokenised(ours, [de for _, de in PAIRS]), targets, even)
    return german, Sentences(english, targets, even), torch.from_numpy(start), tower


def test_german_learns_to_lie_where_english_does(
    sentences: tuple[Sentences, Sentences, torch.Tensor, TextTower], tmp_path: Path
) -> None:
    german, english, start, tower = sentences
    config = BilingualTraining(
        steps=12, batch=14, english=0.5, warmup=1, save_every=2, peak_rate=2e-5
    )
    losses: list[float] = []

    def stop(done: int, total: int, figures: dict[str, float]) -> None:
        losses.append(figures["loss"])
        if len(losses) == 3:
            raise KeyboardInterrupt

    side = TextSide(pretrained_minilm(start), tower)
    with pytest.raises(KeyboardInterrupt):
        train_bilingual(side, german, english, config, work=tmp_path, progress=stop)
    side = TextSide(pretrained_minilm(start), tower)
    resumed: list[float] = []
    train_bilingual(
        side, german, english, config, work=tmp_path,
        progress=lambda done, total, figures: resumed.append(figures["loss"]),
    )  # fmt: skip
    assert resumed[0] == pytest.approx(losses[2], rel=1e-3), "it went on where it was saved"
    assert resumed[-1] < losses[0]
    assert not torch.equal(side.minilm.words.added, start), "German words learn"
