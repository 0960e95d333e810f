"""German for an English sentence encoder: words for its tokenizer and where they start from.

MiniLM's tokenizer cuts German into splinters that its network has never seen. Frequent German words
get a place of their own in the vocabulary. Their embeddings start as the mean of those of the
English words which they translate to, by IBM Model 1 (Brown et al. 1993) on sentence pairs; so the
encoder understands most German before any training, and a short one teaches it the rest.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Pair = tuple[str, str]  # English, German


@dataclass(frozen=True, slots=True)
class GermanWords:
    """How many words are added. `fewest` counts a word's uses in all German text."""

    fewest: int = 4
    fewest_suffix: int = 12
    shortest_suffix: int = 4
    rounds: int = 6
    most_translations: int = 8
    least_probability: float = 0.05


def words_in(tokenizer: Tokenizer, text: str) -> list[str]:
    """Words as the tokenizer sees them before it cuts them: lower case, no accents."""
    normal = tokenizer.normalizer.normalize_str(text)
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal) if word.isalpha()]


def new_words(
    tokenizer: Tokenizer, german: Sequence[str], english: Sequence[str], config: GermanWords
) -> list[str]:
    """Frequent German words that the vocabulary lacks and English text does not use, and endings
    of compounds ("##hund"), in a fixed order."""
    uses = Counter(word for text in german for word in words_in(tokenizer, text))
    taken = set(tokenizer.get_vocab())
    taken |= {word for text in english for word in words_in(tokenizer, text)}
    whole = sorted(word for word, n in uses.items() if n >= config.fewest and word not in taken)
    ends: Counter[str] = Counter()
    for word in uses:
        for start in range(3, len(word) - config.shortest_suffix + 1):
            ends[word[start:]] += 1
    endings = sorted(
        f"##{word}"
        for word in whole
        if len(word) >= config.shortest_suffix and ends[word] >= config.fewest_suffix
    )
    return whole + [ending for ending in endings if ending not in taken]


def extended(tokenizer: Tokenizer, words: Sequence[str]) -> Tokenizer:
    """The tokenizer with `words` at the end of its vocabulary, in their order."""
    content = json.loads(tokenizer.to_str())
    vocabulary = content["model"]["vocab"]
    for word in words:
        vocabulary[word] = len(vocabulary)
    return Tokenizer.from_str(json.dumps(content, ensure_ascii=False))


def translated(
    tokenizer: Tokenizer,
    words: Sequence[str],
    pairs: Sequence[Pair],
    embeddings_VD: NDArray[np.float32],
    config: GermanWords,
) -> NDArray[np.float32]:
    """Embeddings for `words`, (words, D): of their English translations, else of their splinters.

    `tokenizer` is the English one, to which `embeddings_VD` belongs.
    """
    table = translations(tokenizer, pairs, config)
    rows = []
    for word in words:
        found = table.get(word.removeprefix("##"))
        if found is None:
            found = [(i, 1.0) for i in tokenizer.encode(word, add_special_tokens=False).ids]
        ids, weights = zip(*found, strict=True)
        rows.append(np.average(embeddings_VD[list(ids)], axis=0, weights=weights))
    return np.stack(rows).astype(np.float32)


def translations(
    tokenizer: Tokenizer, pairs: Sequence[Pair], config: GermanWords
) -> dict[str, list[tuple[int, float]]]:
    """For each German word the likeliest English token ids with their probabilities (IBM 1)."""
    german, english, pair_of, names = _cooccurrences(tokenizer, pairs)
    width = int(english.max()) + 1
    keys, entry = np.unique(german * width + english, return_inverse=True)
    by_german = keys // width
    probability = np.ones(len(keys))
    # Each English token of a pair is explained by the pair's German words, in shares.
    explained = np.unique(pair_of * width + english, return_inverse=True)[1]
    for _ in range(config.rounds):
        likely = probability[entry]
        share = likely / np.bincount(explained, weights=likely)[explained]
        counts = np.bincount(entry, weights=share, minlength=len(keys))
        probability = counts / np.bincount(by_german, weights=counts)[by_german]
    return _likeliest(by_german, keys % width, probability, names, config)


def _cooccurrences(
    tokenizer: Tokenizer, pairs: Sequence[Pair]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Every (German word, English token) that stand in one pair, and the German words by number.

    Number 0 is no word: it explains what the other language does not say.
    """
    numbers = {"": 0}
    german, english, pair_of = [], [], []
    sentences = tokenizer.encode_batch([text for text, _ in pairs], add_special_tokens=False)
    for at, (encoding, (_, text)) in enumerate(zip(sentences, pairs, strict=True)):
        words = [numbers.setdefault(word, len(numbers)) for word in words_in(tokenizer, text)]
        words = [0, *words]
        german.append(np.repeat(words, len(encoding.ids)))
        english.append(np.tile(encoding.ids, len(words)))
        pair_of.append(np.full(len(words) * len(encoding.ids), at))
    return (
        np.concatenate(german).astype(np.int64),
        np.concatenate(english).astype(np.int64),
        np.concatenate(pair_of),
        list(numbers),
    )


def _likeliest(
    german: NDArray[np.int64],
    english: NDArray[np.int64],
    probability: NDArray[np.float64],
    names: Sequence[str],
    config: GermanWords,
) -> dict[str, list[tuple[int, float]]]:
    table: dict[str, list[tuple[int, float]]] = {}
    for at in np.argsort(-probability, kind="stable"):
        if probability[at] < config.least_probability:
            break
        own = table.setdefault(names[german[at]], [])
        if len(own) < config.most_translations:
            own.append((int(english[at]), float(probability[at])))
    return table
