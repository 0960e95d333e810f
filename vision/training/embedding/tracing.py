"""What a version ships beside its image head, so that similarities can be traced back to cells."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from vision.backbones.efficientnet import pretrained_lite2
from vision.collection import Collection
from vision.heads.image_head import ImageHead, ShippedHead
from vision.training.features import FeatureCache
from vision.training.networks import DEFAULT_NETWORK
from vision.training.workshop import Workshop

PHOTOS = 3000  # to find linear maps by, where they are not known
RIDGE = 1e-3

Rows = NDArray[np.float32]


def shipped_head(shop: Workshop, image: ImageHead, names_CE: Rows, generic_D: Rows) -> ShippedHead:
    """The head with class names, the way from cells to logits, and an average text's embedding."""
    convolved = shop.network == DEFAULT_NETWORK
    shipped = ShippedHead(replace(image.config, convolved=convolved))
    shipped.head.load_state_dict(image.state_dict())
    with torch.no_grad():
        shipped.names.copy_(torch.from_numpy(names_CE))
        shipped.generic.copy_(torch.from_numpy(generic_D))
        if convolved:
            network = pretrained_lite2().network
            shipped.cells.weight.copy_(network._conv_head.weight[:, :, 0, 0])
            shipped.cells.bias.copy_(network._conv_head.bias)
            shipped.classifier.load_state_dict(network._fc.state_dict())
        else:
            pooled, logits, means = _pooling(shop.features, shop.all_collections())
            _fill(shipped.cells, *linear_map(means, pooled))
            _fill(shipped.classifier, *linear_map(pooled, logits))
    return shipped


def linear_map(x: Rows, y: Rows) -> tuple[Rows, Rows]:
    """Weight (out, in) and bias (out,) of the map from rows x to rows y; exact where it is one."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x, y = (x - mean_x).astype(np.float64), (y - mean_y).astype(np.float64)
    moments = x.T @ x
    moments += RIDGE * np.trace(moments) / len(moments) * np.eye(len(moments))
    weight = np.linalg.solve(moments, x.T @ y).T
    return weight.astype(np.float32), (mean_y - weight @ mean_x).astype(np.float32)


def _pooling(cache: FeatureCache, collections: Sequence[Collection]) -> tuple[Rows, Rows, Rows]:
    """pooled, logits and the mean of the grid's cells, of some training photos."""
    found: list[tuple[Rows, Rows, Rows]] = []
    for collection in collections:
        share = PHOTOS // len(collections)
        pooled, logits, grid = (
            cache.load(collection, "train", part, "plain")[:share].astype(np.float32)
            for part in ("pooled", "logits", "grid")
        )
        found.append((pooled, logits, grid.reshape(len(grid), -1, grid.shape[-1]).mean(axis=1)))
    return (
        np.concatenate([pooled for pooled, _, _ in found]),
        np.concatenate([logits for _, logits, _ in found]),
        np.concatenate([means for _, _, means in found]),
    )


def _fill(layer: torch.nn.Linear, weight: Rows, bias: Rows) -> None:
    layer.weight.copy_(torch.from_numpy(weight))
    layer.bias.copy_(torch.from_numpy(bias))
