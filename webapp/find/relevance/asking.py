"""Asking the search that the product runs, whole or without one of its signals."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from search.grading import GLANCE, ndcg
from search.query import Field, Query
from search.rank import Hit, rank
from webapp.accounts.models import User
from webapp.find.query.understanding import understand
from webapp.find.relevance.questions import Question
from webapp.find.services import ranked_hits

DECIMALS = 4


@dataclass(frozen=True)
class Part:
    """Something that search goes by: signals and kinds of conditions, and whether it hears "no"."""

    signals: Collection[str] = ()
    fields: Collection[Field] = ()
    absence: bool = False

    def dropped_from(self, query: Query) -> Query:
        kept = (
            each
            for each in query.conditions
            if each.field not in self.fields and not (self.absence and each.negated)
        )
        return replace(query, conditions=tuple(kept))


# What can be left out, as the ablation table names it.
PARTS: Mapping[str, Part] = {
    "the embedding": Part({"embedding"}),
    "tags": Part({"tags"}, {Field.TAG}),
    "captions": Part({"caption"}),
    "text read in photos": Part({"read"}, {Field.HAS}),
    "file names": Part({"name"}),
    "albums": Part({"albums"}, {Field.ALBUM}),
    "places": Part({"place"}, {Field.PLACE}),
    "dates": Part(fields={Field.TAKEN, Field.EVERY}),
    "cameras and favourites": Part(fields={Field.CAMERA, Field.FAVOURITE}),
    "what should not be there": Part({"absence"}, absence=True),
}

Scores = dict[str, list[float]]  # by group, one for each question in its order


def relevance(user: User, asked: Sequence[Question], photo_ids: Sequence[int]) -> dict[str, Any]:
    """Mean nDCG@10 by group, each question's own in `scores`, and which questions they were.

    `photo_ids` are those of the photos in the order of the questions' grades.
    """
    scores = scores_of(user, asked, photo_ids)
    return {
        "ndcg@10": means(scores),
        "asked": {group: len(own) for group, own in scores.items()},
        "scores": scores,
        "questions": fingerprint(asked),
    }


def ablation(user: User, asked: Sequence[Question], photo_ids: Sequence[int]) -> dict[str, Any]:
    """Mean nDCG@10 by group of everything, and without each part in turn."""
    scores: dict[str, Scores] = {name: defaultdict(list) for name in ("", *PARTS)}
    for question in asked:
        query = understand(user, question.text)
        hits = ranked_hits(user, query, show_more=True)
        scores[""][question.group].append(_score(question, hits, photo_ids))
        for name, part in PARTS.items():
            rest = _without(user, query, part, hits)
            scores[name][question.group].append(_score(question, rest, photo_ids))
    return {
        "ndcg@10": means(scores[""]),
        "without": {name: means(scores[name]) for name in PARTS},
    }


def scores_of(user: User, asked: Sequence[Question], photo_ids: Sequence[int]) -> Scores:
    scores: Scores = defaultdict(list)
    for question in asked:
        hits = ranked_hits(user, understand(user, question.text), show_more=True)
        scores[question.group].append(_score(question, hits, photo_ids))
    return dict(scores)


def _without(user: User, query: Query, part: Part, hits: Sequence[Hit]) -> Sequence[Hit]:
    """`hits` as they are without a part; another search only where it makes another query."""
    rest = part.dropped_from(query)
    if rest != query:
        hits = ranked_hits(user, rest, show_more=True)
    heard = [each for each in hits[0].signals if each.name not in part.signals] if hits else []
    return rank(rest, heard, GLANCE)


def _score(question: Question, hits: Sequence[Hit], photo_ids: Sequence[int]) -> float:
    place_of = {photo_id: place for place, photo_id in enumerate(photo_ids)}
    order = [place_of[hit.photo_id] for hit in hits[:GLANCE]]
    return round(ndcg(order, question.grades), DECIMALS)


def means(scores: Scores) -> dict[str, float]:
    return {group: round(float(np.mean(own)), DECIMALS) for group, own in scores.items()}


def fingerprint(asked: Sequence[Question]) -> str:
    """Changes with any question or grade, so that figures of other questions are not compared."""
    written = "\n".join(f"{q.group}\t{q.text}\t{sorted(q.grades.items())}" for q in asked)
    return hashlib.sha256(written.encode()).hexdigest()[:16]
