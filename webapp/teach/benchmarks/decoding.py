"""How captions are searched for: what each part of the search is worth, one changed at a time.

English captions of development photos as `evaluate captions` scores them, by the active version:
width of the beam, power of the length, the ban on repeating three words and on ending in an
article, the embedding that judges, features in float in place of int8 with a second look, and how
captions do that are sure enough to be shown. Features are looked at once, the search runs anew for
each row; `work` is seconds of the processor for a thousand captions.
"""

import copy
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from vision.collection import Collection
from webapp.errors import Refused
from webapp.teach.versions.folders import folder_to_measure
from webapp.terminal import table as text_table

if TYPE_CHECKING:
    from vision.backbones.base import Features
    from vision.heads import Captioned
    from vision.heads.beam import BeamConfig
    from vision.heads.polyglot import PolyglotCaptioner
    from vision.sight import Image

DATA = settings.BASE_DIR.parent / "shared" / "data" / "flickr8k"
BATCH = 64
FIGURES = ("cider_d", "bleu4", "rouge_l")

# What is changed of the beam that ships, by the name of the row.
BEAMS: dict[str, dict[str, Any]] = {
    "as it ships": {},
    "beam of 1": {"width": 1},
    "beam of 2": {"width": 2},
    "beam of 3": {"width": 3},
    "beam of 8": {"width": 8},
    "length power 0 (the sum)": {"length_power": 0.0},
    "length power 0.5": {"length_power": 0.5},
    "length power 1 (the mean)": {"length_power": 1.0},
    "three words may repeat": {"unrepeated": 0},
    "may end in an article": {"unfinal": ()},
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="captioned photos")
    parser.add_argument("--split", metavar="NAME", help="default: as of evaluate")
    parser.add_argument("--photos", type=int, default=1000, help="at most; default: 1000")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    from vision.eye import load_eye
    from vision.heads.gist import NOBODY
    from vision.heads.polyglot import PolyglotCaptioner

    eye = load_eye(folder_to_measure(), device="cpu")
    if not isinstance(eye.caption, PolyglotCaptioner):
        raise Refused("The captions of this version are not searched for by a beam.")
    collection = Collection(options["data"])
    split = collection.split_to_measure(options["split"])
    references = collection.captions(split)
    named = (each for each in collection.photos(split) if each[0] in references)
    names, looks = _looks(eye, islice(named, options["photos"]))
    if not names:
        raise Refused(f"No photo of the split {split!r} in {options['data']} has a caption.")
    human = {name: references[name] for name in names}

    def row(caption: "PolyglotCaptioner", features: "Sequence[Features]") -> dict[str, Any]:
        return _row(names, human, lambda: _captions(caption, features))

    rows = {name: row(_english(eye.caption, **own), looks["seen"]) for name, own in BEAMS.items()}
    unjudged = _english(eye.caption)
    unjudged.judges = NOBODY
    rows["nobody judges"] = row(unjudged, looks["seen"])
    rows["features of the first look, int8"] = row(_english(eye.caption), looks["first"])
    if eye.closer is not None:
        rows["features in float"] = row(_english(eye.caption), looks["exact"])
    shown = _shown(names, human, _captions(_english(eye.caption), looks["seen"]))
    return {"version": eye.version, "photos": len(names), "rows": rows | shown}


def _looks(
    eye: Any, photos: "Iterator[tuple[str, Image]]"
) -> "tuple[list[str], dict[str, list[Features]]]":
    """Names of the photos, and their features as the product sees them, of the first look alone,
    and in float."""
    from vision.pixels import squash_batch

    names: list[str] = []
    looks: dict[str, list[Features]] = {"seen": [], "first": [], "exact": []}
    while batch := list(islice(photos, BATCH)):
        names += [name for name, _ in batch]
        images = [image for _, image in batch]
        looks["seen"].append(eye.see(images))
        looks["first"].append(eye.embedded(eye.features(images)))
        if eye.closer is not None:
            exact = eye.closer.backbone
            looks["exact"].append(eye.embedded(exact(squash_batch(images, exact.input_size))))
    return names, looks


def _english(captioner: "PolyglotCaptioner", **changes: Any) -> "PolyglotCaptioner":
    """The captioner, speaking English alone, with its beam changed."""
    changed = copy.copy(captioner)
    own = captioner.languages["en"]
    beam: BeamConfig = replace(own.beam, **changes)
    changed.languages = {"en": replace(own, beam=beam)}
    return changed


def _captions(captioner: "PolyglotCaptioner", looks: "Sequence[Features]") -> "list[Captioned]":
    return [each for features in looks for each in captioner(features)]


def _row(
    names: Sequence[str],
    human: Mapping[str, list[str]],
    describe: "Callable[[], list[Captioned]]",
) -> dict[str, Any]:
    started = time.process_time()
    captions = describe()
    work = (time.process_time() - started) * 1000 / len(names)
    own = {name: each.caption for name, each in zip(names, captions, strict=True)}
    return _figures(own, human) | {"work": work, "shown": 1.0}


def _shown(
    names: Sequence[str], human: Mapping[str, list[str]], captions: "Sequence[Captioned]"
) -> dict[str, Any]:
    """Of the captions that are sure enough, and of the others."""
    least = settings.MAREA_CAPTION_CONFIDENCE
    rows = {}
    titles = {"only captions that are shown": True, "only those that are not": False}
    for title, wanted in titles.items():
        own = {
            name: each.caption
            for name, each in zip(names, captions, strict=True)
            if (each.confidence >= least) == wanted
        }
        if own:
            share = {"shown": len(own) / len(names), "work": None}
            rows[title] = _figures(own, human) | share
    return rows


def _figures(own: Mapping[str, str], human: Mapping[str, list[str]]) -> dict[str, Any]:
    from vision.evaluation.captions import score

    scored = score(dict(own), {name: human[name] for name in own})
    return {name: scored[name] for name in FIGURES}


def table(figures: Mapping[str, Any]) -> str:
    heading = f"{figures['version']}, {figures['photos']:,} photos"
    rows = [
        (
            name,
            *(f"{own[figure]:.3f}" for figure in FIGURES),
            f"{own['shown']:.2f}",
            "" if own["work"] is None else f"{own['work']:.1f}",
        )
        for name, own in figures["rows"].items()
    ]
    return text_table([heading, "CIDEr-D", "BLEU-4", "ROUGE-L", "of photos", "work"], rows)
