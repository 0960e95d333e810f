"""What speaks for a photo: its likeness to the query, and the query's words in its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from search import explain
from search.rank import Signal
from search.words import Word, stem


@dataclass(frozen=True, slots=True)
class Texts:
    """A photo's texts as folded words: see `search.words`."""

    photo_id: int
    tags: tuple[tuple[str, ...], ...] = ()
    caption: tuple[str, ...] = ()
    name: tuple[str, ...] = ()


def likeness(probabilities: Mapping[int, float]) -> Signal:
    """The embedding's opinion, calibrated by `search.cutoff`."""
    return Signal("embedding", probabilities, explain.looks_like_it)


def of_words(words: Sequence[Word], texts: Iterable[Texts]) -> list[Signal]:
    """The opinions of tags, captions and file names: the share of the query's words in each."""
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
    scores = {photo_id: len(hits) / len(words) for photo_id, hits in found.items() if hits}
    return Signal(name, scores, lambda photo_id: say(found[photo_id]))


def _matching(words: Sequence[Word], text: Sequence[str]) -> list[str]:
    """For each of the query's `words` that the text has, the text's own form of it."""
    by_stem = {stem(word): word for word in reversed(text)}
    return [by_stem[word.stem] for word in words if word.stem in by_stem]


def _tag_words(texts: Texts) -> list[str]:
    return [word for tag in texts.tags for word in tag]
