"""Where a training reads and works, and the steps before any head: the backbone and its features.

Steps keep what they made in a work folder and pick up from it, so a training that was interrupted
goes on. Each names what is missing when the data folder is not there.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.collection import Collection
from vision.errors import DataMissing
from vision.training.backbone import calibration_photos, export_backbone, export_exact
from vision.training.features import VIEWS, FeatureCache
from vision.training.networks import DEFAULT_NETWORK, NETWORKS, Recipe

EXACT = "backbone.fp16.onnx"

# A part of a version: what the manifest says of it, by the part's name.
Parts = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a training reads, works and what it trains on."""

    data: Path
    work: Path
    collections: tuple[str, ...] = ("flickr8k", "coco_wide")
    views: tuple[str, ...] = VIEWS
    network: str = DEFAULT_NETWORK  # each wants a work folder of its own

    @property
    def recipe(self) -> Recipe:
        """How the backbone is made. Raises UnknownNetwork."""
        return NETWORKS[self.network]()

    def all_collections(self) -> list[Collection]:
        """Raises DataMissing when the data folder lacks one of them."""
        for name in self.collections:
            if not (self.data / name).is_dir():
                raise DataMissing(
                    f"There is no {name!r} in the data folder {self.data}. Training needs the "
                    f"collections {', '.join(self.collections)}; say where they are with --data."
                )
        return [Collection(self.data / name) for name in self.collections]

    def archives(self, split: str) -> list[Path]:
        return [path for each in self.all_collections() for path in each.archives(split)]

    @property
    def draft(self) -> Path:
        """Files of the version in the making."""
        return self.work / "draft"

    @property
    def backbone(self) -> Path:
        return self.draft / "backbone.int8.onnx"

    @property
    def sentence_encoder(self) -> Path:
        return self.work / "sentences.int8.onnx"

    @property
    def features(self) -> FeatureCache:
        return FeatureCache(self.work / "features", self.backbone, self.recipe.input_size)


def make_backbone(shop: Workshop) -> dict[str, Any]:
    """Export the backbone unless it is there; its specification."""
    recipe = shop.recipe
    if not shop.backbone.exists():
        shop.draft.mkdir(parents=True, exist_ok=True)
        export_backbone(
            recipe.build(shop.work),
            size=recipe.input_size,
            photos=calibration_photos(shop.all_collections(), size=recipe.input_size),
            to=shop.backbone,
            operators=recipe.operators,
            compact=recipe.compact,
            float_first=recipe.float_first,
            rounded=recipe.rounded,
        )
    files = {"onnx": shop.backbone.name, "input_size": recipe.input_size}
    return {"name": shop.network, **files, **recipe.spec, **_exact(shop)}


def _exact(shop: Workshop) -> dict[str, Any]:
    """What the specification says of the backbone in float, exported unless it is there."""
    if not shop.recipe.doubt:
        return {}
    to = shop.draft / EXACT
    if not to.exists():
        export_exact(shop.recipe.build(shop.work), size=shop.recipe.input_size, to=to)
    return {"exact": to.name, "doubt": shop.recipe.doubt}


def look_at_photos(shop: Workshop) -> None:
    """Cache the features of every collection: all views to learn from, plain ones to judge by."""
    for collection in shop.all_collections():
        shop.features.extract(collection, "train", shop.views)
        shop.features.extract(collection, "dev", ("plain",))


def workshop(data: Path, work: Path, network: str = DEFAULT_NETWORK) -> Workshop:
    """The workshop of a network: each but the default has a folder of its own inside `work`."""
    return Workshop(data, work if network == DEFAULT_NETWORK else work / network, network=network)
