"""What speaks for a photo: its likeness to the query, and the query's words in its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from types import MappingProxyType

import numpy as np

from search import explain, trust
from search.cutoff import Background
from search.index.protocol import Vectors
from search.index.selection import Ids
from search.known import Asked, none_known
from search.rank import LOOK, PRIOR, Signal
from search.texts import Texts, originals
from search.words import Word, split, stem

# Words of place names that say nothing by themselves: "new shoes" were not bought in New York.
_GENERIC = (
    "new old great upper lower north south east west saint st san santa sao bad am an der die den "
    "la le les los las el al de di del do da du des of on port lake park city county island"
)
GENERIC_IN_PLACES = frozenset(_GENERIC.split())

# Log-odds by which a thing is likelier on a photo than its look says: lines were fitted to captions
# that name only part of what is there. nDCG@10 of negations (`evaluate search`, development photos
# of Flickr8k and coco_wide): 0.315 and 0.809 if nothing speaks against photos, 0.352 and 0.820 with
# 0 here, 0.381 and 0.821 with 2, 0.378 and 0.815 with 3 and half as much again.
UNNAMED = 2.0

Found = Mapping[int, Sequence[str]]  # by photo the words of the query that a text has


def opinions(
    query: Vectors,
    words: Sequence[Word],
    *,
    background: Background,
    photos: tuple[Ids, Vectors],
    texts: Iterable[Texts],
    own_tags: Mapping[int, Set[str]] = MappingProxyType({}),
) -> list[Signal]:
    """All that speaks for and against photos.

    `query` (dim,) is the embedding of its text, `words` are its content words; `photos` are ids
    (n,) and embeddings (n, dim), `texts` what is written about them, `own_tags` by id the stems
    of tags that people gave.
    """
    ids, vectors = photos
    evidence = background.evidence(query, vectors, words)
    likeness = dict(zip(ids.tolist(), evidence.tolist(), strict=True))
    by_likeness = Signal(LOOK, likeness, explain.looks_like_it)
    if not words:
        return [by_likeness]
    asked = background.known.asked(words)
    worded = of_words(words, texts, asked=asked)
    believed = (trust.outright(each, likeness, words, asked, own_tags) for each in worded)
    return [by_likeness, *believed]


def absence(
    unwanted: Vectors,
    background: Background,
    photos: tuple[Ids, Vectors],
    words: Sequence[Word] = (),
) -> Signal:
    """What speaks against photos (ids (n,), embeddings (n, dim)) that look like what should not be
    on them, the text with the embedding `unwanted` (dim,) and the content words `words`: how
    probable it is by itself that each does not show it, whatever else the library has."""
    ids, vectors = photos
    asked = background.known.asked(words)
    if len(asked.biases) and not asked.others:
        shown = asked.log_odds(vectors).min(axis=1)
    else:
        shown = PRIOR + background.evidence(unwanted, vectors, words)
    against = -np.logaddexp(0.0, shown + UNNAMED)
    scores = dict(zip(ids.tolist(), against.tolist(), strict=True))
    return Signal("absence", scores, lambda _: "")


def of_words(
    words: Sequence[Word], texts: Iterable[Texts], *, asked: Asked | None = None
) -> list[Signal]:
    """The opinions of a photo's texts: which of the `words` stand in each. `asked` says of which
    words the look was learned; without it of none."""
    asked = asked or none_known(words)
    by_id = {each.photo_id: each for each in texts}
    every = by_id.items()
    tags = {pk: _matching(words, [w for tag in t.tags for w in tag]) for pk, t in every if t.tags}
    captions = {pk: _matching(words, t.caption) for pk, t in every if t.caption}
    names = {pk: _matching(words, t.name) for pk, t in every if t.name}
    read = {pk: _matching(words, t.read.split()) for pk, t in every if t.read}
    places = {pk: _matching(words, _places(words, t)) for pk, t in every if t.place}
    albums = {
        pk: _matching(words, [w for name in t.albums for w in name]) for pk, t in every if t.albums
    }
    say: dict[str, tuple[Found, Callable[[int], str]]] = {
        "tags": (tags, lambda pk: explain.tagged(tags[pk])),
        "caption": (captions, lambda pk: explain.caption_says(captions[pk])),
        "name": (names, lambda pk: _name_says(by_id[pk], names[pk])),
        "read": (read, lambda pk: explain.text_says(_lines(by_id[pk], read[pk]))),
        "place": (places, lambda pk: explain.taken_in(_named(by_id[pk], words))),
        "albums": (albums, lambda pk: explain.in_album(_albums(by_id[pk], albums[pk]))),
    }
    return [
        Signal(name, _worth(found, trust.by_word(words, asked, name)), reason)
        for name, (found, reason) in say.items()
    ]


def _worth(found: Found, worth: Mapping[str, float]) -> dict[int, float]:
    """What the words found in each photo's text are worth together."""
    return {
        photo_id: sum(worth[stem(word)] for word in hits)
        for photo_id, hits in found.items()
        if hits
    }


def _matching(words: Sequence[Word], text: Sequence[str]) -> list[str]:
    """For each of the query's `words` that the text has, the text's own form of it."""
    by_stem = {stem(word): word for word in reversed(text)}
    return [by_stem[word.stem] for word in words if word.stem in by_stem]


def _name_says(texts: Texts, hits: Sequence[str]) -> str:
    folders = [name for name in originals(texts, "folders") if set(hits) & set(split(name))]
    if folders and set(hits) <= {word for name in folders for word in split(name)}:
        return explain.in_folder(folders)
    return explain.name_has(hits)


def _places(words: Sequence[Word], texts: Texts) -> list[str]:
    """The words of those names of the photo's place that the query means."""
    stems = {word.stem for word in words}
    return [word for name in texts.place if _is_meant(name, stems) for word in name]


def _is_meant(name: Sequence[str], stems: set[str]) -> bool:
    """Whether the query says the whole name, or of a longer one a word that tells it apart."""
    said = {word for word in name if stem(word) in stems}
    return said == set(name) or not said <= GENERIC_IN_PLACES


def _named(texts: Texts, words: Sequence[Word]) -> list[str]:
    stems = {word.stem for word in words}
    pairs = zip(texts.place, originals(texts, "place"), strict=False)
    return [written for name, written in pairs if _is_meant(name, stems)]


def _albums(texts: Texts, hits: Sequence[str]) -> list[str]:
    pairs = zip(texts.albums, originals(texts, "albums"), strict=False)
    return [written for name, written in pairs if set(hits) & set(name)]


def _lines(texts: Texts, hits: Sequence[str]) -> list[str]:
    """The lines in the photo that have most of what was found: the fewest that have it all."""
    missing, chosen = set(hits), []
    lines = [(line, set(split(line))) for line in originals(texts, "read")]
    while missing and lines:
        line, has = max(lines, key=lambda each: len(missing & each[1]))
        if not missing & has:
            break
        missing -= has
        chosen.append(line)
    return chosen
