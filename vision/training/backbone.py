"""Export a backbone to the int8 ONNX file that ships and that heads are trained on.

Measured on two cores with AVX512-VNNI, batch 16: fp32 in ONNX Runtime 80 photos/s, int8 223; the
first of 1,000 classes equals fp32's on 0.96 of 500 ImageNet photos (0.95 with 7-bit weights, whose
features are off by twice as much).

The first layers lose most by int8, as everything after them sees their rounding. On 250 development
photos of Flickr8k and coco_wide, all of Lite2 in int8 has a centred cosine of 0.987 to fp32 and its
first class on 0.90; with the first two convolutions in float 0.993 and 0.95 for a sixth of the
speed; with five 0.994 and 0.94; without the last 0.987. Percentiles instead of extremes for the
scales: 0.988 at 99.99, 0.974 at 99.9. Depthwise convolutions in float: 0.94.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from vision.collection import Collection, read_tar
from vision.pixels import squash
from vision.training.rounding import round_weights

logger = logging.getLogger(__name__)

OUTPUTS = ("pooled", "stride16", "grid", "logits")
PHOTOS_PER_COLLECTION = 64
ROUNDING_BATCH = 16


def export_backbone(
    network: nn.Module,
    *,
    size: int,
    photos: Sequence[NDArray[np.uint8]],
    to: Path,
    operators: Sequence[str] = ("Conv", "Add", "Clip"),
    compact: Sequence[str] = (),
    outputs: Sequence[str] = OUTPUTS,
    float_first: int = 0,
    rounded: bool = False,
) -> None:
    """Write `network` as int8 ONNX (QDQ, per channel), calibrated on (size, size, 3) photos.

    `operators` are quantised but for the `float_first` first convolutions; weights named in
    `compact` are stored in int8 and computed in float. With `rounded` the weights, in place, are
    rounded with care before (minutes): see `vision.training.rounding`.
    """
    if rounded:
        batches = torch.from_numpy(np.stack(photos)).split(ROUNDING_BATCH)
        round_weights(network, batches, float_first=float_first)
    with tempfile.TemporaryDirectory() as scratch:
        exact, prepared = Path(scratch) / "fp32.onnx", Path(scratch) / "prepared.onnx"
        export_fp32(network, size=size, to=exact, outputs=outputs)
        quant_pre_process(str(exact), str(prepared), skip_symbolic_shape=True)
        partial = to.with_suffix(".partial")
        quantize_static(
            str(prepared),
            str(partial),
            _Photos(photos),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Pooling and the classifier stay in float: they cost little, the heads need them exact.
            op_types_to_quantize=list(operators),
            nodes_to_exclude=_convolutions(prepared)[:float_first],
        )
        if compact:
            store_in_int8(partial, compact)
        partial.rename(to)
    logger.info("exported backbone=%s bytes=%d", to.name, to.stat().st_size)


def _convolutions(path: Path) -> list[str]:
    """Names of the convolutions in an ONNX file, from the photo on."""
    return [node.name for node in onnx.load(path).graph.node if node.op_type == "Conv"]


def export_fp32(
    network: nn.Module, *, size: int, to: Path, outputs: Sequence[str] = OUTPUTS
) -> None:
    """Write `network` as it is, with a free batch dimension."""
    pixels = torch.zeros(1, size, size, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, yet gives one clean Conv per convolution, which the
        # quantiser needs.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (pixels,),
            str(to),
            input_names=["pixels"],
            output_names=list(outputs),
            dynamic_axes={name: {0: "batch"} for name in ("pixels", *outputs)},
            opset_version=17,
            dynamo=False,
        )


def export_exact(
    network: nn.Module, *, size: int, to: Path, outputs: Sequence[str] = OUTPUTS
) -> None:
    """Write `network` with weights of float16 that ONNX Runtime widens when it opens the file, so
    that it computes in float32 and takes half the space."""
    from onnx import TensorProto, helper, numpy_helper

    partial = to.with_suffix(".partial")
    export_fp32(network, size=size, to=partial, outputs=outputs)
    model = onnx.load(str(partial))
    large = [each for each in model.graph.initializer if len(each.dims) > 1]
    for weight in large:
        half = numpy_helper.to_array(weight).astype(np.float16)
        model.graph.initializer.remove(weight)
        model.graph.initializer.append(numpy_helper.from_array(half, f"{weight.name}_half"))
        cast = helper.make_node(
            "Cast", [f"{weight.name}_half"], [weight.name], to=TensorProto.FLOAT
        )
        model.graph.node.insert(0, cast)
    onnx.save(model, str(partial))
    partial.rename(to)
    logger.info("exported backbone=%s bytes=%d", to.name, to.stat().st_size)


def store_in_int8(path: Path, names: Sequence[str]) -> None:
    """Replace float weights of an ONNX file by int8 with a scale for each row (output)."""
    from onnx import helper, numpy_helper

    model = onnx.load(str(path))
    for weight in [each for each in model.graph.initializer if each.name in names]:
        values = numpy_helper.to_array(weight)
        largest = np.abs(values).max(axis=tuple(range(1, values.ndim)))
        scale = np.maximum(largest / 127, 1e-12).astype(np.float32)  # a row may be empty
        rows = scale.reshape(-1, *(1,) * (values.ndim - 1))
        kept = np.round(values / rows).astype(np.int8)
        parts = {"quantized": kept, "scale": scale, "zero_point": np.zeros(len(scale), np.int8)}
        inputs = [f"{weight.name}_{part}" for part in parts]
        tensors = [numpy_helper.from_array(a, f"{weight.name}_{p}") for p, a in parts.items()]
        node = helper.make_node("DequantizeLinear", inputs, [weight.name], axis=0)
        model.graph.initializer.remove(weight)
        model.graph.initializer.extend(tensors)
        model.graph.node.insert(0, node)
    onnx.save(model, str(path))


def calibration_photos(collections: Sequence[Collection], *, size: int) -> list[NDArray[np.uint8]]:
    """Evenly spaced training photos of each collection, squashed."""
    photos: list[NDArray[np.uint8]] = []
    for collection in collections:
        archive = collection.archives("train")[-1]
        every = max(1, sum(1 for _ in read_tar(archive)) // PHOTOS_PER_COLLECTION)
        chosen = islice(read_tar(archive), 0, None, every)
        photos += [squash(image, size) for _, image in chosen]
    return photos


class _Photos(CalibrationDataReader):
    """Hands photos to the quantiser one by one."""

    def __init__(self, photos: Sequence[NDArray[np.uint8]]) -> None:
        self._feeds: Iterator[dict[str, NDArray[np.uint8]]] = (
            {"pixels": photo[None]} for photo in photos
        )

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._feeds, None)
