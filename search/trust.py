"""How much a text counts that has words of the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from search.cutoff import FITTED, unknown_share
from search.known import Asked
from search.rank import PRIOR, Signal
from search.words import Word

# Log-odds when all words of a query stand in one text, of a part of them that part.
#
# A model's caption is a guess. Nothing measures how far people's own words may be believed (no
# collection has file names, albums or text in photos), so they count as a tag does.
CAPTION = "caption"
# Of words whose look was learned the look itself says most: fitted, 0.14 remain for tags and 0.44
# for captions (678 words of Flickr8k's and coco_wide's training photos). With 0.4 for both, whole
# captions found their photo no better than with 0.1, and absent words were answered more often.
ALREADY_SEEN = 0.1
# Of queries without any such word; fitted, when words were taken as unknown: 2.7 and 2.1. Words
# that no caption of the training photos has are mostly names, and who writes them knows them.
NEVER_SEEN, GUESSED = 4.7, 1.5
# Who wrote the whole query into a text of a photo means it: its log-odds are at least these. Of a
# word with a learned look, a text may mean something else. Captions are a model's; tags too, unless
# a person gave them or the word has no learned look.
OUTRIGHT, OUTRIGHT_BUT_SEEN = 5.0, 2.5


def by_word(words: Sequence[Word], asked: Asked, signal: str) -> dict[str, float]:
    """What each of a query's words is worth in the texts of `signal`, by its stem."""
    return {word.stem: _worth(word.stem in asked.others, asked, words, signal) for word in words}


def _worth(is_unknown: bool, asked: Asked, words: Sequence[Word], signal: str) -> float:
    if not len(asked.biases):
        return (GUESSED if signal == CAPTION else NEVER_SEEN) / len(words)
    if not is_unknown:
        return ALREADY_SEEN / len(words)
    # What the word costs because the look of it is not known, see `search.cutoff.witnesses`.
    price = -FITTED["several"]["unknown"] * unknown_share(asked) / len(asked.others)
    return max(price, 0.0) * (0.5 if signal == CAPTION else 1.0)


def outright(
    signal: Signal,
    likeness: Mapping[int, float],
    words: Sequence[Word],
    asked: Asked,
    own_tags: Mapping[int, Set[str]],
) -> Signal:
    """`signal` with at least so much in all for photos whose text has every one of `words`,
    whatever their look (`likeness`) says. `own_tags` are the stems of tags that people gave."""
    has_look = bool(len(asked.biases))
    least = OUTRIGHT_BUT_SEEN if has_look else OUTRIGHT
    most = sum(by_word(words, asked, signal.name).values()) - 1e-6
    stems = {word.stem for word in words}

    def is_meant(photo_id: int, score: float) -> bool:
        if signal.name == "tags" and has_look:
            return stems <= own_tags.get(photo_id, frozenset())
        return signal.name != CAPTION and score >= most

    scores = {
        photo_id: max(score, least - PRIOR - likeness.get(photo_id, 0.0))
        if is_meant(photo_id, score)
        else score
        for photo_id, score in signal.scores.items()
    }
    return replace(signal, scores=scores)
