"""Ranking that learns, against the fused order: simulated people whose taste is known.

For each taste and seed somebody searches so many times, the ranker is taught by that log, and
promoted if it beats the fused order on the queries held out. Then new queries of the same person
are answered: the mean reciprocal rank of the photo they had in mind, in either order. People who
open photos at random have any of the photos in mind that show what was asked for.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from time import process_time
from typing import Any

import numpy as np

from search import cutoff
from search.rank import Hit
from search.ranker.learning import Learned, learn
from search.ranker.network import fused
from search.ranker.order import reordered
from webapp.find.benchmarks._people import RANDOM, TASTES, WORDS, Asked, Taste, asked, searches
from webapp.terminal import table as as_table

NEW_QUERIES = 300


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--searches", type=int, default=1000, help="of each person; default: 1000")
    parser.add_argument("--seeds", type=int, default=4, help="people of each taste; default: 4")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    begun = process_time()
    rows = [
        measure(taste, options["searches"], seed)
        for taste in (*TASTES, RANDOM)
        for seed in range(options["seeds"])
    ]
    return {"searches": options["searches"], "people": rows, "cpu_s": process_time() - begun}


def measure(taste: Taste, count: int, seed: int, *, anew: int = NEW_QUERIES) -> dict[str, Any]:
    """One person: taught by their log as `learning.learn_ranking` does, judged, and asked anew."""
    learned = learn(searches(taste, count, np.random.default_rng(seed)), current=fused)
    is_better = learned is not None and learned.verdict.is_better
    new = list(asked(taste, anew, seed + 10_000))
    before = np.mean([_reciprocal_rank(query, query.hits) for query in new])
    after = np.mean([_reciprocal_rank(q, _answer(q, learned)) for q in new])
    return {
        "taste": taste.name,
        "seed": seed,
        "promoted": is_better,
        "fused": float(before),
        "learned": float(after if is_better else before),
        "gain": float(after / before - 1.0) if is_better else 0.0,
        "not_promoted": 0.0 if is_better else float(after / before - 1.0),
    }


def _answer(query: Asked, learned: Learned | None) -> list[Hit]:
    if learned is None:
        return query.hits
    confident = cutoff.confident(query.hits)
    return reordered(query.hits, learned.network, query.facts, confident=confident, words=WORDS)


def _reciprocal_rank(query: Asked, order: list[Hit]) -> float:
    wanted = query.hits[query.meant].photo_id
    return next(1.0 / at for at, hit in enumerate(order, start=1) if hit.photo_id == wanted)


def table(figures: Mapping[str, Any]) -> str:
    head = ["opens", "seed", "promoted", "MRR fused", "MRR learned", "gain"]
    rows = [
        (
            row["taste"],
            str(row["seed"]),
            "yes" if row["promoted"] else "no",
            f"{row['fused']:.3f}",
            f"{row['learned']:.3f}",
            f"{row['gain']:+.1%}",
        )
        for row in figures["people"]
    ]
    said = f"{figures['searches']} searches each, {figures['cpu_s']:.0f} s of one core"
    return f"{as_table(head, rows)}\n\n{said}"
