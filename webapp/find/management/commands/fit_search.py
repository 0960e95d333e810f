"""manage.py fit_search: learn how words look, and where results stop being relevant."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from numpy.typing import NDArray
from safetensors.numpy import save_file

from search import cutoff
from search.known import KnownWords
from vision.collection import Collection
from vision.errors import VisionError
from vision.evaluation.tag_truth import written_about
from vision.text_encoder import TextEncoder
from vision.versions import Version, open_version
from webapp.find.fitting.alike import Classed, fit_alike
from webapp.find.fitting.cutoff import fit_cutoff
from webapp.find.fitting.words import Training, learn_words
from webapp.find.query.embedding import embedding_digest
from webapp.find.relevance.judging import Judgements

COLLECTIONS = ("flickr8k", "coco_wide")
CLASSED = ("caltech101", "scenes")  # whose photos have one label each
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
        work = Path(settings.MAREA_DATA) / "training" / "embeddings"
        trainings = [_training(Collection(data / name), version, work) for name in COLLECTIONS]
        learned = learn_words(trainings)
        _keep_lines(learned.known, version)
        self.stdout.write(f"{len(learned.known.biases):,} words are known to {version.name}.")
        encoder = TextEncoder(version)
        fitted = fit_cutoff(trainings, learned, encoder, encoder.encode(cutoff.GENERIC_QUERIES))
        others = np.concatenate([each.photos for each in trainings])
        alike = fit_alike([_classed(data / name, version, work) for name in CLASSED], others)
        kept = {"cutoff": cutoff.FITTED["cutoff"], **fitted, "alike": alike}
        WEIGHTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        self.stdout.write(f"{WEIGHTS} was written.")


def _training(collection: Collection, version: Version, work: Path) -> Training:
    """The training photos of a collection as the version sees them. Raises DataMissing."""
    names, photos = _embedded(collection, version, work)
    return Training(Judgements(written_about(collection, "train", names)), photos)


def _classed(folder: Path, version: Version, work: Path) -> Classed:
    names, photos = _embedded(Collection(folder), version, work)
    labels = Collection(folder).labels("train") or {}
    return Classed(photos, np.array([labels[name][0] for name in names]))


def _embedded(
    collection: Collection, version: Version, work: Path
) -> tuple[list[str], NDArray[np.float32]]:
    """Names and embeddings, kept in `work` for the next time: a quarter of an hour's work."""
    kept = work / f"{embedding_digest(version)[:12]}.{collection.name}.npz"
    if not kept.exists():
        names, photos = _looked_at(collection, version)
        work.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial.npz")
        np.savez(partial, names=np.array(names), photos=photos)
        partial.rename(kept)
    with np.load(kept) as arrays:
        return [str(name) for name in arrays["names"]], arrays["photos"]


def _looked_at(collection: Collection, version: Version) -> tuple[list[str], NDArray[np.float32]]:
    from vision.evaluation.retrieval import look_at_split
    from vision.eye import load_eye

    eye = load_eye(version.folder)
    seen = look_at_split(collection, "train", eye, wanted=frozenset({"embedding"}))
    return [name for name, _ in seen], np.stack([sight.embedding for _, sight in seen])


def _keep_lines(known: KnownWords, version: Version) -> None:
    """Into the version's folder and manifest, with the embedding that they are for."""
    from vision.training.publish import describe_file

    half = np.ascontiguousarray(known.lines, np.float16)  # as safetensors needs them
    arrays: dict[str, NDArray[Any]] = {"lines": half, "biases": known.biases, "usual": known.usual}
    save_file(arrays, version.folder / LINES)
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
        described = describe_file(version.folder / file, borrower=version.name)
        manifest["files"][file] = described
        if "in" in described:
            (version.folder / file).unlink()
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (version.folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
