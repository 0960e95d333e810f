"""Rounding weights so that convolutions say about the same."""

import copy

import pytest
import torch
from torch import nn

from vision.training.rounding import LEVELS, round_weights


class Small(nn.Module):
    """A pointwise, a depthwise and a full convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 12, 1),
            nn.ReLU6(),
            nn.Conv2d(12, 12, 3, padding=1, groups=12),
            nn.ReLU6(),
            nn.Conv2d(12, 6, 3, stride=2, padding=1),
        )

    def forward(self, pixels_BHWC: torch.Tensor) -> torch.Tensor:
        return self.layers(pixels_BHWC.permute(0, 3, 1, 2).float() / 255)


@pytest.fixture
def network() -> Small:
    torch.manual_seed(0)
    return Small().eval()


@pytest.fixture
def photos() -> list[torch.Tensor]:
    """Neighbouring pixels and channels go together, as in photos."""
    coarse = torch.rand(8, 3, 5, 5)
    smooth = nn.functional.interpolate(coarse, size=(24, 24), mode="bilinear")
    mixed = smooth.mean(dim=1, keepdim=True) * 0.7 + smooth * 0.3
    return list((mixed.permute(0, 2, 3, 1) * 255).to(torch.uint8).split(4))


def nearest(network: Small) -> Small:
    rounded = copy.deepcopy(network)
    for conv in (m for m in rounded.modules() if isinstance(m, nn.Conv2d)):
        scale = conv.weight.detach().abs().amax(dim=(1, 2, 3), keepdim=True) / LEVELS
        conv.weight.data = (conv.weight.data / scale).round() * scale
    return rounded


@torch.no_grad()
def test_less_is_lost_than_by_rounding_to_the_nearest(
    network: Small, photos: list[torch.Tensor]
) -> None:
    exact, plain = copy.deepcopy(network), nearest(network)
    round_weights(network, photos)
    lost, lost_plain = (
        sum((each(batch) - exact(batch)).pow(2).sum().item() for batch in photos)
        for each in (network, plain)
    )
    assert lost < 0.5 * lost_plain


def test_the_quantiser_finds_every_weight_on_a_step(
    network: Small, photos: list[torch.Tensor]
) -> None:
    before = copy.deepcopy(network)
    round_weights(network, photos, float_first=1)
    pairs = list(zip(network.layers, before.layers, strict=True))
    assert torch.equal(pairs[0][0].weight, pairs[0][1].weight), "the first stays in float"
    for conv, old in (pairs[2], pairs[4]):
        weights = conv.weight.detach().flatten(1)
        scale = weights.abs().amax(dim=1, keepdim=True) / LEVELS
        steps = weights / scale
        assert torch.allclose(steps, steps.round(), atol=1e-3)
        assert torch.allclose(scale, old.weight.detach().flatten(1).abs().amax(1, True) / LEVELS)
