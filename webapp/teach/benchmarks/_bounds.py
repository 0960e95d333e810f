"""How fast looking could be at best: by the arithmetic of the network, and by decoding."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch.utils.flop_counter import FlopCounterMode

from vision.backbones.efficientnet import INPUT_SIZE, pretrained_lite2
from vision.decoding import Rendering
from vision.sight import Image
from webapp.library.services.decoding import decoders

if TYPE_CHECKING:
    from vision.eye import Eye

MATRIX = 2048  # side of the matrices whose product shows what the processor can do
PRODUCTS = 5


def gflop_a_photo() -> float:
    """Floating-point operations of one pass of Lite2, two for each multiply-add, in thousand
    millions."""
    photo = torch.zeros(1, INPUT_SIZE, INPUT_SIZE, 3, dtype=torch.uint8)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        pretrained_lite2()(photo)
    return counter.get_total_flops() / 1e9


def matrix_gflops(device: str, dtype: torch.dtype) -> float:
    """What products of large matrices reach on the device, in GFLOP/s: no network does more."""
    one, other = (torch.randn(MATRIX, MATRIX, device=device, dtype=dtype) for _ in range(2))
    one @ other
    started = time.perf_counter()
    for _ in range(PRODUCTS):
        product = one @ other
    product[0, 0].item()  # a GPU has finished once a number of it is here
    return 2 * MATRIX**3 * PRODUCTS / (time.perf_counter() - started) / 1e9


def decoding_rate(paths: Sequence[Path], *, size: int) -> float:
    """JPEG files a second, decoded to the network's input by all decoders of a worker."""
    with ThreadPoolExecutor(decoders().children) as threads:
        render = _renderer(size)
        list(threads.map(render, paths[: decoders().children]))  # starts the decoders
        started = time.perf_counter()
        list(threads.map(render, paths))
        return len(paths) / (time.perf_counter() - started)


def files_rate(eye: "Eye", paths: Sequence[Path], *, batch: int) -> float:
    """JPEG files a second, from the file to what is seen: the next batch is decoded while the
    network sees the present one, as a worker does it."""
    with ThreadPoolExecutor(decoders().children) as threads:
        rendered = threads.map(_renderer(eye.input_size), paths)
        started = time.perf_counter()
        for photos in _batches(rendered, batch):
            eye.look(photos)
        return len(paths) / (time.perf_counter() - started)


def _renderer(size: int) -> Callable[[Path], Rendering]:
    return lambda path: decoders().render(path, network_size=size, thumbnails={})


def _batches(rendered: Iterator[Rendering], size: int) -> Iterator[list[Image]]:
    while photos := [cast("Image", each.pixels) for each in islice(rendered, size)]:
        yield photos
