"""How good captions are, by the code that the product runs."""

from pathlib import Path
from typing import Any

from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.caption_metrics import bleu, cider_d, rouge_l
from vision.evaluation.retrieval import Seen, look_at_split
from vision.eye import Eye
from vision.words import words_of


def captions(
    folder: Path, split: str, *, eye: Eye, lang: str = "en", seen: Seen | None = None
) -> dict[str, Any]:
    """BLEU-1..4, ROUGE-L and CIDEr-D on a folder laid out as described in `vision.collection`.

    Photos without a caption are left out. Raises DataMissing when none has one.
    """
    collection = Collection(folder)
    references = collection.captions(split, lang=lang)
    described = {
        name: sight.caption
        for name, sight in seen or look_at_split(collection, split, eye)
        if name in references
    }
    if not described:
        raise DataMissing(f"No photo of the split {split!r} in {folder} has a caption.")
    return score(described, references)


def score(described: dict[str, str], references: dict[str, list[str]]) -> dict[str, Any]:
    """Figures of captions by photo name against the captions that people wrote."""
    candidates = [words_of(caption) for caption in described.values()]
    human = [[words_of(text) for text in references[name]] for name in described]
    bleus = bleu(candidates, human)
    return {
        "photos": len(candidates),
        **{f"bleu{n}": value for n, value in enumerate(bleus, start=1)},
        "rouge_l": rouge_l(candidates, human),
        "cider_d": cider_d(candidates, human)[0],
    }
