"""Inception-v3: its size, its names, folding, and the two ways in which its weights come."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.vision.folders import draw
from vision.backbones.inception import (
    SYMMETRIC,
    UNIT,
    GridProjector,
    InceptionV3,
    convolutions,
    fold_batchnorm,
)
from vision.backbones.inception_views import InceptionViews, load_official, shorten
from vision.backbones.torch_backbone import TorchBackbone
from vision.flops import multiply_adds, parameters
from vision.pixels import squash_batch
from vision.training.publish import Draft, save_half
from vision.versions import open_version

# Of torchvision's file inception_v3_google-0cc3c7bd.pth: name and shape of some of its entries.
OFFICIAL = {
    "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
    "Conv2d_1a_3x3.bn.running_var": (32,),
    "Conv2d_4a_3x3.conv.weight": (192, 80, 3, 3),
    "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
    "Mixed_5d.branch_pool.conv.weight": (64, 288, 1, 1),
    "Mixed_6a.branch3x3dbl_3.bn.bias": (96,),
    "Mixed_6b.branch7x7_2.conv.weight": (128, 128, 1, 7),
    "Mixed_6e.branch7x7dbl_2.conv.weight": (192, 192, 7, 1),
    "AuxLogits.conv0.conv.weight": (128, 768, 1, 1),
    "AuxLogits.conv1.conv.weight": (768, 128, 5, 5),
    "AuxLogits.fc.weight": (1000, 768),
    "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
    "Mixed_7b.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
    "Mixed_7c.branch3x3_2a.conv.weight": (384, 384, 1, 3),
    "fc.bias": (1000,),
}


def random_network(*, aux: bool = True) -> InceptionV3:
    """Random weights and BatchNorm statistics that are not the identity."""
    torch.manual_seed(0)
    network = InceptionV3(aux=aux)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.8, 1.6)
    return network.eval()


def test_the_network_is_as_large_as_the_papers() -> None:
    with torch.device("meta"):
        network = InceptionV3().eval()
        photo = torch.empty(1, 3, 299, 299)
    assert parameters(network) == 27_161_264
    assert multiply_adds(network, photo) == pytest.approx(5.7e9, rel=0.01)


def test_names_and_shapes_are_those_of_torchvision() -> None:
    state = InceptionV3().state_dict()
    assert {name: tuple(state[name].shape) for name in OFFICIAL} == OFFICIAL
    # torchvision's file lists 96 convolutions with five BatchNorm entries each, and two layers.
    counters = [name for name in state if name.endswith("num_batches_tracked")]
    assert len(state) == 96 * 6 + 4
    assert len(counters) == 96


def test_the_maps_have_the_sizes_of_the_paper() -> None:
    network = random_network(aux=False)
    with torch.inference_mode():
        low, high = network.maps(torch.zeros(1, 3, 299, 299))
    assert low.shape == (1, 768, 17, 17)
    assert high.shape == (1, 2048, 8, 8)


def test_the_auxiliary_head_reads_photos_of_any_size() -> None:
    network = random_network()
    assert network.AuxLogits is not None
    for side in (17, 7):
        assert network.AuxLogits(torch.zeros(2, 768, side, side)).shape == (2, 1000)


def test_folding_batchnorm_changes_nothing_that_is_seen() -> None:
    network = random_network(aux=False)
    photos = torch.rand(2, 3, 96, 96)
    with torch.inference_mode():
        before = network(photos)
        after = fold_batchnorm(network)(photos)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert after == pytest.approx(before, rel=1e-3, abs=1e-4)


def test_scaling_official_weights_is_mean_and_deviation_then_transform_input() -> None:
    pixels = torch.randint(0, 256, (1, 4, 4, 3), dtype=torch.uint8)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normal = (pixels / 255 - mean) / deviation
    wanted = normal * (deviation / 0.5) + (mean - 0.5) / 0.5
    assert SYMMETRIC.scale(pixels) == pytest.approx(wanted.permute(0, 3, 1, 2), abs=1e-5)
    assert UNIT.scale(pixels).max() <= 1


def test_keras_numbers_94_convolutions_in_our_order() -> None:
    names = [name for name, _ in convolutions(InceptionV3())]
    assert len(names) == 94
    assert names[:2] == ["Conv2d_1a_3x3", "Conv2d_2a_3x3"]
    assert names[50] == "Mixed_6d.branch1x1"  # conv2d_51: from here on nsfwjs' authors trained


@pytest.mark.parametrize("bias", [True, False])
def test_a_short_layer_of_full_rank_says_the_same(bias: bool) -> None:
    long, short = nn.Linear(40, 12, bias=bias), nn.Sequential(nn.Linear(40, 12), nn.Linear(12, 12))
    features = torch.rand(3, 40)
    with torch.inference_mode():
        assert shorten(long, short)(features) == pytest.approx(long(features), abs=1e-4)


def test_a_short_layer_of_lower_rank_comes_close() -> None:
    torch.manual_seed(0)
    long, short = nn.Linear(40, 30), nn.Sequential(nn.Linear(40, 20), nn.Linear(20, 30))
    with torch.inference_mode():
        long.weight[20:] = long.weight[:10]
        features = torch.rand(3, 40)
        assert shorten(long, short)(features) == pytest.approx(long(features), abs=1e-4)


def test_views_fit_the_heads_of_the_teacher() -> None:
    views = InceptionViews(
        fold_batchnorm(random_network(aux=False)), UNIT, GridProjector(cells=9, outputs=352)
    )
    seen = TorchBackbone(views, input_size=96, device="cpu")(_photos(96))
    assert seen.pooled.shape == (2, 2048)
    assert seen.stride16.shape == (2, 768)
    assert seen.grid.shape == (2, 9, 9, 352)
    assert seen.logits.shape == (2, 1000)


def test_bfloat16_sees_what_float32_sees() -> None:
    """The path of a GPU, run on the CPU."""
    views = InceptionViews(fold_batchnorm(random_network(aux=False)), UNIT)
    exact = TorchBackbone(views, input_size=96, device="cpu")(_photos(96))
    fast = TorchBackbone(views, input_size=96, device="cpu", half=True)(_photos(96))
    assert fast.pooled.dtype == np.float32
    for a, b in zip(exact.pooled, fast.pooled, strict=True):
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.999


def test_weights_in_the_official_format_load_and_look(tmp_path: Path) -> None:
    """A checkpoint of torchvision's names, auxiliary head and all, at the paper's size."""
    network = random_network()
    draft = Draft.start("official", tmp_path / "draft")
    save_half(network, draft.folder / "inception.safetensors")
    spec = {"name": "inception-v3-official", "file": "inception.safetensors"}
    draft.parts["backbone"] = spec
    version = open_version(draft.publish(tmp_path / "version", metrics={}, card=""))
    seen = load_official(version, spec, "cpu")(_photos(299, 1))
    assert seen.grid.shape == (1, 8, 8, 2048)
    with torch.inference_mode():
        wanted = network(SYMMETRIC.scale(torch.from_numpy(_photos(299, 1))))
    assert seen.logits == pytest.approx(wanted.numpy(), abs=0.05)  # stored in float16


def _photos(size: int, count: int = 2) -> np.ndarray:
    return squash_batch([draw(number) for number in range(count)], size)
