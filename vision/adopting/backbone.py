"""A backbone behind adapters: it sees, the adapters say it in the words of another backbone."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vision.adapters import Adapters, Views, open_adapters
from vision.backbones import BACKBONES
from vision.backbones.base import Backbone, Features
from vision.backbones.inception_views import load_official
from vision.backbones.onnx import OnnxBackbone
from vision.errors import WeightsError
from vision.versions import Version


class AdoptedBackbone:
    """The new backbone, heard by the old heads."""

    def __init__(self, inner: Backbone, adapters: Adapters) -> None:
        self.inner, self.adapters = inner, adapters
        self.input_size = inner.input_size

    def __call__(self, pixels_BHWC: NDArray[np.uint8]) -> Features:
        return Features(*self.adapters(views_of(self.inner(pixels_BHWC))))


def views_of(features: Features) -> Views:
    return features.pooled, features.stride16, features.grid, features.logits


@BACKBONES.register("adopted")
def load_adopted(version: Version, spec: dict[str, Any], device: str) -> AdoptedBackbone:
    """`of` names the backbone behind the adapters; the rest of the specification is its own."""
    adapters = open_adapters(version, spec)
    if adapters is None:
        raise WeightsError(f"The backbone of {version.name} names no adapters.")
    own = {key: value for key, value in spec.items() if key != "adapters"}
    inner = BACKBONES[spec["of"]](version, own | {"name": spec["of"]}, device)
    return AdoptedBackbone(inner, adapters)


@BACKBONES.register("inception-v3-official-int8")
def load_official_int8(version: Version, spec: dict[str, Any], device: str) -> Backbone:
    """The official Inception-v3 as int8, calibrated on the owner's photos; torch on a GPU."""
    if device == "cpu":
        path, size = version.path(spec["onnx"]), int(spec["input_size"])
        return OnnxBackbone(path, input_size=size, threads=torch.get_num_threads())
    return load_official(version, spec, device)
