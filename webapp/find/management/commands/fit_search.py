"""manage.py fit_search: learn how words look, and where results stop being relevant."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from safetensors.numpy import save_file

from search import cutoff
from search.known import KnownWords
from vision.collection import Collection
from vision.errors import VisionError
from vision.evaluation.tag_truth import written_about
from vision.text_encoder import TextEncoder
from vision.versions import Version, open_version
from webapp.find.fitting import Training, fit_cutoff, fit_known_words
from webapp.find.judging import Judgements
from webapp.find.text import embedding_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLLECTIONS = ("flickr8k", "coco_wide")
LINES, FORMS = "known.safetensors", "known.json"
CHUNK = 512  # photos embedded at once
WEIGHTS = Path(cutoff.__file__).with_name("cutoff.json")


class Command(BaseCommand):
    help = (
        "Fit, on the training photos of flickr8k and coco_wide, lines for the words that they show "
        "(into the version's folder, before it is published) and the weights of the cut-off (into "
        "search/cutoff.json). Look at both with manage.py evaluate cutoff."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data",
            metavar="DIR",
            type=Path,
            default=settings.BASE_DIR.parent / "shared" / "data",
            help="folder with the collections; default: ../shared/data",
        )
        parser.add_argument("--model", metavar="VERSION", help="default: the version that ships")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._fit(open_version(options["model"]), options["data"])
        except VisionError as error:
            raise CommandError(str(error)) from error

    def _fit(self, version: Version, data: Path) -> None:
        work = Path(settings.MAREA_DATA) / "training" / "features"
        trainings = [_training(Collection(data / name), version, work) for name in COLLECTIONS]
        known = fit_known_words(trainings)
        _keep_lines(known, version)
        self.stdout.write(f"{len(known.biases):,} words are known to {version.name}.")
        encoder = TextEncoder(version)
        fitted = fit_cutoff(trainings, known, encoder, encoder.encode(cutoff.GENERIC_QUERIES))
        kept = {"cutoff": cutoff.FITTED["cutoff"], **fitted}
        WEIGHTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        self.stdout.write(f"{WEIGHTS} was written.")


def _training(collection: Collection, version: Version, work: Path) -> Training:
    """The training photos of a collection as the version sees them. Raises DataMissing."""
    from vision.training.features import FeatureCache

    backbone = version.part("backbone")
    cache = FeatureCache(work, version.path(backbone["onnx"]), backbone["input_size"])
    cache.extract(collection, "train", ("plain",))
    written = written_about(collection, "train", cache.names(collection, "train"))
    return Training(Judgements(written), _embedded(cache, collection, version))


def _embedded(cache: Any, collection: Collection, version: Version) -> "NDArray[np.float32]":
    import vision.eye  # noqa: F401  registers the heads
    from vision.backbones.base import Features
    from vision.heads import EMBEDDERS
    from vision.training.features import PARTS

    spec = version.part("embedding")
    embed = EMBEDDERS[spec["name"]](version, spec, "cpu")
    parts = [cache.load(collection, "train", part, "plain") for part in PARTS]
    chunks = [
        embed(Features(*(part[start : start + CHUNK].astype(np.float32) for part in parts)))
        for start in range(0, len(parts[0]), CHUNK)
    ]
    return np.concatenate(chunks)


def _keep_lines(known: KnownWords, version: Version) -> None:
    """Into the version's folder and manifest, with the embedding that they are for."""
    from vision.training.publish import describe_file

    half = np.ascontiguousarray(known.lines, np.float16)  # as safetensors needs them
    save_file({"lines": half, "biases": known.biases}, version.folder / LINES)
    forms = json.dumps(dict(sorted(known.forms.items())), ensure_ascii=False, indent=0)
    (version.folder / FORMS).write_text(forms + "\n", encoding="utf-8")
    manifest = version.manifest
    manifest["parts"]["known"] = {
        "name": "lines",
        "file": LINES,
        "forms": FORMS,
        "embedding": embedding_digest(version),
    }
    for file in (LINES, FORMS):
        manifest["files"][file] = describe_file(version.folder / file, borrower=version.name)
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (version.folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
