"""The network that a student begins with: Inception as it ships, or else npm's `nsfwjs`.

What ships has its BatchNorm folded into its convolutions. A stage that learns needs it back, with
the statistics of the photos that it learns from; what the network computes stays the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vision.backbones import onnx_weights
from vision.backbones.inception import UNIT, BasicConv2d, InceptionV3, convolutions
from vision.training.distillation.nsfwjs import fetch, load_nsfwjs, renew
from vision.versions import WEIGHTS, open_version

SHIPPED = WEIGHTS / "inception-2026.11"


def beginning(photos: Iterable[Tensor], work: Path, *, seed: int) -> InceptionV3:
    """A network to teach; `photos` are batches (B, S, S, 3) uint8 of those that it learns from.

    Nothing is fetched if the version is here that ships Inception. Raises TrainingError.
    """
    torch.manual_seed(seed)
    if (SHIPPED / "manifest.json").is_file():
        return shipped_network(photos)
    network = load_nsfwjs(fetch(work / "nsfwjs"))
    renew(network)
    return network


def shipped_network(photos: Iterable[Tensor]) -> InceptionV3:
    """The network of the version that ships, able to learn on."""
    version, network = open_version(SHIPPED), InceptionV3()
    path = version.path(version.part("backbone")["onnx"])
    unfold(network, onnx_weights.dequantised(path), photos)
    return network


@torch.no_grad()
def unfold(
    network: InceptionV3, folded: Mapping[str, NDArray[Any]], photos: Iterable[Tensor]
) -> InceptionV3:
    """Load weights whose BatchNorm was folded, and let each layer normalise by these photos.

    What it normalises away it scales and shifts back, so that nothing changes yet.
    """
    layers = convolutions(network)
    for name, block in layers:
        block.conv.weight.copy_(torch.from_numpy(folded[f"network.{name}.conv.weight"]))
        block.bn.get_parameter("bias").copy_(torch.from_numpy(folded[f"network.{name}.conv.bias"]))
        block.bn.get_buffer("running_var").fill_(1 - _norm(block).eps)
    network.eval()
    with _measured([block for _, block in layers]) as moments:
        for pixels in photos:
            network.maps(UNIT.scale(pixels))
    for (_, block), seen in zip(layers, moments, strict=True):
        mean, squares = torch.stack(seen).mean(dim=0)
        _normalise(_norm(block), mean, (squares - mean.square()).clamp_min(0))
    return network


def _normalise(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    norm.get_buffer("running_mean").copy_(mean)
    norm.get_buffer("running_var").copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.add_(mean)


@contextmanager
def _measured(blocks: list[BasicConv2d]) -> Iterator[list[list[Tensor]]]:
    """Mean and mean square (2, C) of what each block's convolution puts out, batch by batch."""
    found: list[list[Tensor]] = [[] for _ in blocks]

    def listen(to: list[Tensor]) -> object:
        def hear(_: nn.Module, __: object, out: Tensor) -> None:
            to.append(torch.stack([out.mean(dim=(0, 2, 3)), out.square().mean(dim=(0, 2, 3))]))

        return hear

    handles = [
        block.conv.register_forward_hook(listen(to))  # type: ignore[arg-type]
        for block, to in zip(blocks, found, strict=True)
    ]
    yield found
    for handle in handles:
        handle.remove()


def _norm(block: BasicConv2d) -> nn.BatchNorm2d:
    return cast(nn.BatchNorm2d, block.bn)  # it is another module only once it is folded
