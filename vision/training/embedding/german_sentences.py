"""German sentences and where each should lie in the space: where its English twin does."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from vision.heads.embedding import TextTower
from vision.training.embedding.bilingual import Sentences, tokenised
from vision.training.embedding.german import (
    GermanWords,
    Pair,
    extended,
    new_words,
    translated,
    translations,
)
from vision.training.embedding.material import Material
from vision.training.embedding.minilm import minilm_tokenizer, pretrained_minilm
from vision.training.embedding.pairs import PROMPTS, prompted
from vision.training.embedding.sentences import TextSide, kept_features
from vision.training.workshop import Workshop

PARALLEL = Path("captions_text/flickr30k.parallel.en-de.tsv.gz")
GERMAN = Path("captions_text/flickr30k.de.txt.gz")

# How often a kind of sentence is drawn, where a translation of one English sentence counts 1.
OF_A_PHOTO, OF_A_WORD = 0.5, 2.0
LIKELY = 0.5  # a German word whose translation is less sure teaches nothing
CHUNK = 4096


class Aimed(NamedTuple):
    """A sentence, the embedding that it should have, and how often it is drawn."""

    text: str
    target: NDArray[np.float32]
    weight: float


@dataclass(frozen=True, slots=True)
class Lessons:
    """A text side that has German words, its tokenizer, and what it learns from."""

    text_side: TextSide
    tokenizer: Tokenizer
    german: Sentences
    english: Sentences


def gather_lessons(
    shop: Workshop, material: Material, tower: TextTower, words: GermanWords
) -> Lessons | None:
    """Everything for `train_bilingual`; None when the data folder has no parallel sentences."""
    if not (shop.data / PARALLEL).is_file():
        return None
    pairs = [(en, de) for en, _, de in (line.partition("\t") for line in _lines(shop, PARALLEL))]
    texts = [german for _, german in pairs] + list(_lines(shop, GERMAN))
    english = [text for own in material.captions for text in own]
    tokenizer, added = german_tokenizer(texts, english, pairs, words)
    german = [
        *_translations(shop, tower, pairs),
        *_of_photos(shop, material, tower),
        *_of_words(material, tower, pairs, words),
    ]
    return Lessons(
        text_side=TextSide(pretrained_minilm(added), tower),
        tokenizer=tokenizer,
        german=_sentences(tokenizer, german),
        english=_sentences(tokenizer, list(_english(material, tower))),
    )


def german_tokenizer(
    german: Sequence[str], english: Sequence[str], pairs: Sequence[Pair], config: GermanWords
) -> tuple[Tokenizer, Tensor]:
    """MiniLM's tokenizer with German words, and where their embeddings start, (words, D)."""
    plain, minilm = minilm_tokenizer(), pretrained_minilm()
    added = new_words(plain, german, english, config)
    start = translated(plain, added, pairs, minilm.words.known.numpy(), config)
    return extended(plain, added), torch.from_numpy(start)


def _translations(shop: Workshop, tower: TextTower, pairs: Sequence[Pair]) -> Iterator[Aimed]:
    """A translation lies where the sentence does that it translates."""
    encoder, cache = shop.sentence_encoder, shop.features.folder
    english = [text for text, _ in pairs]
    features = kept_features(english, "parallel", encoder=encoder, cache=cache)
    targets = embedded(tower, torch.from_numpy(features))
    for (_, german), target in zip(pairs, targets, strict=True):
        yield Aimed(german, target, 1.0)


def _of_photos(shop: Workshop, material: Material, tower: TextTower) -> Iterator[Aimed]:
    """What somebody said in German of a photo lies amid what others said of it in English."""
    for collection, sentences in zip(shop.all_collections(), material.sentences, strict=True):
        if not collection.has_captions("de"):
            continue
        german, start = collection.captions("train", lang="de"), 0
        embeddings = embedded(tower, sentences)
        for name, texts in collection.captions("train").items():
            amid = embeddings[start : start + len(texts)].mean(axis=0)
            start += len(texts)
            for text in german.get(name, []):
                yield Aimed(text, amid / np.linalg.norm(amid), OF_A_PHOTO)


def _of_words(
    material: Material, tower: TextTower, pairs: Sequence[Pair], config: GermanWords
) -> Iterator[Aimed]:
    """A German word lies where its surest translation does, if that is a word of captions."""
    plain = minilm_tokenizer()
    targets = embedded(tower, material.word_sentences[:: len(PROMPTS)])
    place = {word: at for at, word in enumerate(material.words)}
    for german, found in translations(plain, pairs, config).items():
        token, probability = found[0]
        english = plain.id_to_token(token)
        if german and probability >= LIKELY and english in place:
            yield Aimed(german, targets[place[english]], OF_A_WORD)


def _english(material: Material, tower: TextTower) -> Iterator[Aimed]:
    """English sentences and words stay where they are."""
    for texts, sentences in zip(material.captions, material.sentences, strict=True):
        for text, target in zip(texts, embedded(tower, sentences), strict=True):
            yield Aimed(text, target, 1.0)
    words = zip(prompted(material.words), embedded(tower, material.word_sentences), strict=True)
    for text, target in words:
        yield Aimed(text, target, 1.0)


@torch.no_grad()
def embedded(tower: TextTower, sentences_NE: Tensor) -> NDArray[np.float32]:
    """(n, dim) float32 of unit norm."""
    parts = [functional.normalize(tower(part), dim=-1) for part in sentences_NE.split(CHUNK)]
    return torch.cat(parts).numpy()


def _sentences(tokenizer: Tokenizer, aimed: Sequence[Aimed]) -> Sentences:
    return Sentences(
        tokens=tokenised(tokenizer, [each.text for each in aimed]),
        targets=np.stack([each.target for each in aimed]),
        weights=np.array([each.weight for each in aimed]),
    )


def _lines(shop: Workshop, file: Path) -> Iterator[str]:
    path = shop.data / file
    if path.is_file():
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from (line.strip() for line in lines)
