"""How good captions are, by the code that the product runs."""

from pathlib import Path
from typing import Any

from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.caption_metrics import bleu, cider_d, rouge_l
from vision.evaluation.retrieval import Seen, look_at_split
from vision.eye import Eye
from vision.sight import Sight
from vision.words import words_of

# Languages that are measured beside English, where a collection has captions in them.
OTHERS = {"german": "de"}


def captions(
    folder: Path, split: str, *, eye: Eye, lang: str = "en", seen: Seen | None = None
) -> dict[str, Any]:
    """BLEU-1..4, ROUGE-L and CIDEr-D on a folder laid out as described in `vision.collection`.

    With "en", figures of further languages are in it under their names, if the version speaks them
    and the folder has captions in them; there may be such captions alone. Photos without a caption
    are left out. Raises DataMissing when none has one.
    """
    collection = Collection(folder)
    others = {
        name: theirs
        for name, other in OTHERS.items()
        if lang == "en" and (theirs := collection.captions_if_any(split, lang=other))
    }
    written = collection.captions_if_any(split) if others else collection.captions(split, lang=lang)
    seen = seen or look_at_split(collection, split, eye)
    described = _described(seen, lang, written)
    figures = score(described, written) if described else {}
    for name, theirs in others.items():
        if ours := _described(seen, OTHERS[name], theirs):
            figures[name] = score(ours, theirs)
    if not figures:
        raise DataMissing(f"No photo of the split {split!r} in {folder} has a caption.")
    return figures


def _described(seen: Seen, lang: str, references: dict[str, list[str]]) -> dict[str, str]:
    """Our captions in a language by photo name, of photos that people described in it."""
    captions = {name: _caption(sight, lang) for name, sight in seen if name in references}
    return {name: caption for name, caption in captions.items() if caption is not None}


def _caption(sight: Sight, lang: str) -> str | None:
    if lang == "en":
        return sight.caption
    return sight.other_captions[lang][0] if lang in sight.other_captions else None


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
