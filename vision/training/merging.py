"""Several towers merged into one of the same space, without any training.

An ensemble's similarity is the sum of its towers' similarities, so the towers' embeddings side by
side are an embedding of it, K times as wide. Its similarity matrix is of low rank: the best maps of
both sides to the usual width follow from one singular value decomposition (canonical directions,
as in reduced-rank regression). Linear maps fold into linear maps and hidden layers stand side by
side, so the ensemble becomes one head, K times as wide inside and a third better than its members
(see docs/benchmarks.md).
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision.heads.embedding import TextTower
from vision.heads.image_head import ImageHead, ImageHeadConfig
from vision.training.embedding import Tower

RIDGE = 1e-5
CHUNK = 2048


@torch.no_grad()
def merge(
    towers: Sequence[Tower], described_NF: Tensor, sentences_ME: Tensor, config: ImageHeadConfig
) -> tuple[ImageHead, TextTower]:
    """One image head of raw descriptions and one text tower; rows are of photos and texts that
    say which directions matter."""
    images = [_before_norm(_folded(tower), described_NF) for tower in towers]
    texts = [_before_norm(tower.text, sentences_ME) for tower in towers]
    weights = [tower.scale.sqrt() for tower in towers]
    image_gains = [w / part.norm(dim=1).mean() for w, part in zip(weights, images, strict=True)]
    text_gains = [w / part.norm(dim=1).mean() for w, part in zip(weights, texts, strict=True)]
    to_image, to_text = _joint_directions(
        torch.cat([w * functional.normalize(p) for w, p in zip(weights, images, strict=True)], 1),
        torch.cat([w * functional.normalize(p) for w, p in zip(weights, texts, strict=True)], 1),
        width=config.embed_dim,
    )
    hidden = sum(tower.image.up.out_features for tower in towers)
    image = ImageHead(replace(config, hidden=hidden))
    _fill(image, [_folded(tower) for tower in towers], image_gains, to_image)
    hidden = sum(tower.text.up.out_features for tower in towers)
    text = TextTower(text=sentences_ME.shape[1], hidden=hidden, dim=config.embed_dim)
    _fill(text, [tower.text for tower in towers], text_gains, to_text)
    return image.eval(), text.eval()


def _folded(tower: Tower) -> ImageHead:
    """The tower's image head as one of raw descriptions."""
    config = tower.image.config
    head = ImageHead(config)
    head.load_state_dict(tower.image.state_dict())
    head.fold(tower.mean, tower.deviation)
    return head.eval()


def _before_norm(module: ImageHead | TextTower, rows: Tensor) -> Tensor:
    return torch.cat([module.before_norm(part) for part in rows.split(CHUNK)])


def _joint_directions(images: Tensor, texts: Tensor, *, width: int) -> tuple[Tensor, Tensor]:
    """Maps of both sides (K * dim, width) that keep their inner products best."""
    image_root, image_inverse = _roots(images)
    text_root, text_inverse = _roots(texts)
    left, strength, right = torch.linalg.svd(image_root @ text_root)
    half = strength[:width].sqrt()
    to_image = image_inverse @ left[:, :width] * half
    to_text = text_inverse @ right[:width].T * half
    return to_image.float(), to_text.float()


def _roots(rows: Tensor) -> tuple[Tensor, Tensor]:
    """The square root of the second moments of rows, and its inverse; float64."""
    rows = rows.double()
    moments = rows.T @ rows / len(rows)
    values, vectors = torch.linalg.eigh(moments)
    values = values.clamp(min=RIDGE * float(values.max()))
    return (vectors * values.sqrt()) @ vectors.T, (vectors / values.sqrt()) @ vectors.T


def _fill(
    to: ImageHead | TextTower,
    parts: Sequence[ImageHead | TextTower],
    gains: Sequence[Tensor],
    directions: Tensor,
) -> None:
    """Write the parts, each times its gain and mapped by its rows of `directions`, into one."""
    maps = [gain * rows.T for gain, rows in zip(gains, directions.chunk(len(parts)), strict=True)]
    pairs = list(zip(maps, parts, strict=True))
    to.linear.weight.copy_(torch.stack([m @ part.linear.weight for m, part in pairs]).sum(0))
    biases = [m @ (part.linear.bias + part.down.bias) for m, part in pairs]
    to.linear.bias.copy_(torch.stack(biases).sum(0))
    to.up.weight.copy_(torch.cat([part.up.weight for part in parts]))
    to.up.bias.copy_(torch.cat([part.up.bias for part in parts]))
    to.down.weight.copy_(torch.cat([m @ part.down.weight for m, part in pairs], dim=1))
    nn.init.zeros_(to.down.bias)
