"""How right tags are, by the code that the product runs."""

from pathlib import Path
from typing import Any

import numpy as np

from vision.collection import Collection
from vision.evaluation.retrieval import Seen, look_at_split
from vision.evaluation.tag_truth import read_words, truths, written_about
from vision.eye import Eye


def tags(folder: Path, split: str, *, eye: Eye, seen: Seen | None = None) -> dict[str, Any]:
    """Precision and recall of tags, over all and for each group (a word without a broader one).

    Right is what captions (and labels, where the folder has them) say. They leave things out, so
    true precision is higher and true recall lower. Raises DataMissing.
    """
    collection = Collection(folder)
    seen = seen or look_at_split(collection, split, eye)
    names = [name for name, _ in seen]
    said = [{tag for tag, _ in sight.tags} for _, sight in seen]
    words = read_words()
    shown = truths(words, written_about(collection, split, names))
    group_of: dict[str, str] = {}
    for each in words:
        group_of[each.word] = group_of.get(each.broader, each.word)
    counts: dict[str, np.ndarray] = {}
    total = np.zeros(3, dtype=np.int64)
    for each in words:
        says = np.array([each.word in own for own in said])
        hits = np.array([(says & shown[each.word]).sum(), says.sum(), shown[each.word].sum()])
        group = group_of[each.word]
        counts[group] = counts.get(group, 0) + hits
        total = total + hits
    return {
        "photos": len(names),
        "tags": int(total[1]),
        **_rates(total),
        "by_group": {group: _rates(hits) for group, hits in counts.items() if hits[1]},
    }


def _rates(hits: np.ndarray) -> dict[str, float]:
    right, said, shown = (int(value) for value in hits)
    return {"precision": right / said if said else 0.0, "recall": right / shown if shown else 0.0}
