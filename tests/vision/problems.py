"""A problem of a few patterns to train a classifier on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.patterns import a_pattern, pixels_of, write_snapshot
from vision.classifying.snapshot import open_snapshot
from vision.classifying.training import ClassifierTraining
from vision.decoding import DecoderPool
from vision.pixels import squash
from vision.sight import Image
from vision.versions import open_version


def others(size: int) -> Sequence[Image]:
    """Photos of none of the classes."""
    return [squash(pixels_of(a_pattern("rings", seed)), size) for seed in range(20)]


def a_training(
    home: Path, classes: Mapping[str, str], *, slug: str, head: str
) -> ClassifierTraining:
    """On 15 photos of each class, which are written into `home`."""
    return ClassifierTraining(
        name="rocks-1",
        slug=slug,
        title="Rocks",
        snapshot=open_snapshot(write_snapshot(home / "photos", classes, photos=15)),
        base=open_version(),
        background=others,
        decoders=DecoderPool(1),
        kept=home / "features",
        to=home / "rocks-1",
        head=head,
    )
