"""CLIP and SigLIP 2: photos and texts in one space, as the embedding head of a version.

Sources: Radford et al. 2021 (arXiv:2103.00020); Tschannen et al. 2025 (arXiv:2502.14786). Photos
are squashed to a square like everywhere in Marea; SigLIP 2 does so itself, CLIP was trained on
crops, which would cut off what people search for at the edges.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vision.backbones.base import Features
from vision.heads import EMBEDDERS
from vision.heads.loading import load_weights
from vision.pixels import squash_batch
from vision.sight import EMBED_DIM
from vision.strong.extra import transformers
from vision.versions import Version

BATCH = 16


class Projection(nn.Module):
    """From a model's own space to Marea's 512 dimensions, unit norm: W (x - mean).

    Inner products hardly change, see `vision.strong.fitting`. Photos and texts have a mean each.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.eye(EMBED_DIM, width))
        self.mean = nn.Parameter(torch.zeros(width))

    def forward(self, x_BD: Tensor) -> Tensor:
        x_BD = functional.normalize(x_BD, dim=-1) - self.mean
        return functional.normalize(x_BD @ self.matrix.T, dim=-1)


class ClipPhotos(nn.Module):
    """CLIP's photo side: normalised pixels (B, 3, S, S) -> (B, projection_dim)."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        library = transformers()
        self.vision = library.CLIPVisionModel(library.CLIPVisionConfig(**config))
        self.out = nn.Linear(config["hidden_size"], config["projection_dim"], bias=False)

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        return self.out(self.vision(pixel_values=pixels_BCHW).pooler_output)


class SiglipPhotos(nn.Module):
    """SigLIP's photo side, pooled by attention: (B, 3, S, S) -> (B, hidden_size)."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        library = transformers()
        self.vision = library.SiglipVisionModel(library.SiglipVisionConfig(**config))

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        return self.vision(pixel_values=pixels_BCHW).pooler_output


class JointEmbedder:
    """The photo side of a pulled joint model: pixels in, (B, 512) of unit norm out."""

    def __init__(
        self, network: nn.Module, projection: Projection, spec: dict[str, Any], device: str
    ) -> None:
        self.network, self.projection, self.device = network, projection, device
        self.input_size = int(spec["input_size"])
        self.mean, self.deviation = spec["pixel_mean"], spec["pixel_deviation"]

    def __call__(self, features: Features) -> NDArray[np.float32]:
        pixels = needed_pixels(features)
        return np.concatenate(
            [self._embed(pixels[row : row + BATCH]) for row in range(0, len(pixels), BATCH)]
            or [np.empty((0, EMBED_DIM), dtype=np.float32)]
        )

    @torch.inference_mode()
    def _embed(self, pixels_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        squashed = squash_batch(pixels_BHWC, self.input_size)  # type: ignore[arg-type]
        x_BCHW = normalised(squashed, self.mean, self.deviation, self.device)
        return self.projection(self.network(x_BCHW)).cpu().numpy()


def needed_pixels(features: Features) -> NDArray[np.uint8]:
    """The photos that came along with the features, as the Eye sends them."""
    if features.pixels is None:
        raise ValueError("this head looks at the photos themselves; set Features.pixels")
    return features.pixels


def normalised(
    pixels_BHWC: NDArray[np.uint8], mean: list[float], deviation: list[float], device: str
) -> Tensor:
    """uint8 photos as (B, 3, S, S) of about unit deviation."""
    x_BHWC = torch.from_numpy(pixels_BHWC).to(device).float() / 255.0
    x_BHWC = (x_BHWC - torch.tensor(mean, device=device)) / torch.tensor(deviation, device=device)
    return x_BHWC.permute(0, 3, 1, 2).contiguous()


def _load(network: nn.Module, version: Version, spec: dict[str, Any], device: str) -> JointEmbedder:
    network = load_weights(network, version, spec["file"], device=device)
    projection = Projection(int(spec["width"]))
    load_weights(projection, version, spec["projection"], device=device)
    return JointEmbedder(network, projection, spec, device)


@EMBEDDERS.register("clip")
def load_clip(version: Version, spec: dict[str, Any], device: str) -> JointEmbedder:
    return _load(ClipPhotos(spec["config"]), version, spec, device)


@EMBEDDERS.register("siglip")
def load_siglip(version: Version, spec: dict[str, Any], device: str) -> JointEmbedder:
    return _load(SiglipPhotos(spec["config"]), version, spec, device)
