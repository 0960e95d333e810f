"""What speaks for a photo: its likeness to the query, and the query's words in its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from search import explain
from search.cutoff import Background
from search.index.protocol import Vectors
from search.index.selection import Ids
from search.rank import Signal
from search.words import Word, stem


@dataclass(frozen=True, slots=True)
class Texts:
    """A photo's texts as folded words: see `search.words`."""

    photo_id: int
    tags: tuple[tuple[str, ...], ...] = ()
    caption: tuple[str, ...] = ()
    name: tuple[str, ...] = ()


# Log-odds when all words of the query stand in a photo's tags, caption or file name; of a part of
# them, that part. That of tags was fitted (see `search.cutoff`); a name was given by a person and
# gets as much as a tag; a caption is a guess: at 3.0 it cost three points of recall@5 on Flickr8k.
TRUST = {"tags": 4.7, "caption": 1.5, "name": 4.7}


def opinions(
    query: Vectors,
    words: Sequence[Word],
    *,
    background: Background,
    photos: tuple[Ids, Vectors],
    texts: Iterable[Texts],
) -> list[Signal]:
    """All that speaks for and against photos.

    `query` (dim,) is the embedding of its text, `words` are its content words; `photos` are ids
    (n,) and embeddings (n, dim), `texts` what is written about them.
    """
    ids, vectors = photos
    evidence = background.evidence(query, vectors)
    likeness = dict(zip(ids.tolist(), evidence.tolist(), strict=True))
    by_likeness = Signal("embedding", likeness, explain.looks_like_it)
    return [by_likeness, *of_words(words, texts)] if words else [by_likeness]


def of_words(words: Sequence[Word], texts: Iterable[Texts]) -> list[Signal]:
    """The opinions of tags, captions and file names: how many of the `words` stand in each."""
    texts = list(texts)
    return [
        _signal("tags", words, {t.photo_id: _tag_words(t) for t in texts}, explain.tagged),
        _signal("caption", words, {t.photo_id: t.caption for t in texts}, explain.caption_says),
        _signal("name", words, {t.photo_id: t.name for t in texts}, explain.name_has),
    ]


def _signal(
    name: str,
    words: Sequence[Word],
    texts: Mapping[int, Sequence[str]],
    say: Callable[[Sequence[str]], str],
) -> Signal:
    found = {photo_id: _matching(words, text) for photo_id, text in texts.items()}
    each = TRUST[name] / len(words)
    scores = {photo_id: each * len(hits) for photo_id, hits in found.items() if hits}
    return Signal(name, scores, lambda photo_id: say(found[photo_id]))


def _matching(words: Sequence[Word], text: Sequence[str]) -> list[str]:
    """For each of the query's `words` that the text has, the text's own form of it."""
    by_stem = {stem(word): word for word in reversed(text)}
    return [by_stem[word.stem] for word in words if word.stem in by_stem]


def _tag_words(texts: Texts) -> list[str]:
    return [word for tag in texts.tags for word in tag]
