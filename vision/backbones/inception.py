"""Inception-v3 in plain torch, under torchvision's parameter names.

Source: Szegedy et al. 2016, "Rethinking the Inception Architecture" (arXiv:1512.00567). The names
(`Conv2d_1a_3x3.conv.weight`, …, `Mixed_7c`, `AuxLogits`, `fc`) and the few liberties (average
pools count their padding) are torchvision's, so that its official weights load as they are.
27,161,264 parameters with the auxiliary head; 5.7 GMAC at 299 x 299.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

PAPER_SIZE = 299
Size = int | tuple[int, int]


class BasicConv2d(nn.Module):
    """Convolution, BatchNorm, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Size, *, stride: int = 1, padding: Size = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)


def smooth(x: Tensor) -> Tensor:
    """The 3 x 3 average pool before a block's pooling branch."""
    return functional.avg_pool2d(x, kernel_size=3, stride=1, padding=1)


def _row(inputs: int, outputs: int) -> BasicConv2d:
    return BasicConv2d(inputs, outputs, (1, 7), padding=(0, 3))


def _column(inputs: int, outputs: int) -> BasicConv2d:
    return BasicConv2d(inputs, outputs, (7, 1), padding=(3, 0))


class InceptionA(nn.Module):
    """35 x 35: 5 x 5 convolutions, some as two of 3 x 3 (figure 5)."""

    def __init__(self, inputs: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = BasicConv2d(inputs, 64, 1)
        self.branch5x5_1 = BasicConv2d(inputs, 48, 1)
        self.branch5x5_2 = BasicConv2d(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = BasicConv2d(inputs, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, padding=1)
        self.branch_pool = BasicConv2d(inputs, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(smooth(x))], dim=1)


class InceptionB(nn.Module):
    """Grid reduction 35 x 35 -> 17 x 17 (figure 10)."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = BasicConv2d(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = BasicConv2d(inputs, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, functional.max_pool2d(x, 3, 2)], dim=1)


class InceptionC(nn.Module):
    """17 x 17: 7 x 7 convolutions factorised into 1 x 7 and 7 x 1 (figure 6)."""

    def __init__(self, inputs: int, inner: int) -> None:
        super().__init__()
        self.branch1x1 = BasicConv2d(inputs, 192, 1)
        self.branch7x7_1 = BasicConv2d(inputs, inner, 1)
        self.branch7x7_2 = _row(inner, inner)
        self.branch7x7_3 = _column(inner, 192)
        self.branch7x7dbl_1 = BasicConv2d(inputs, inner, 1)
        self.branch7x7dbl_2 = _column(inner, inner)
        self.branch7x7dbl_3 = _row(inner, inner)
        self.branch7x7dbl_4 = _column(inner, inner)
        self.branch7x7dbl_5 = _row(inner, 192)
        self.branch_pool = BasicConv2d(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(smooth(x))], dim=1)


class InceptionD(nn.Module):
    """Grid reduction 17 x 17 -> 8 x 8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = BasicConv2d(inputs, 192, 1)
        self.branch3x3_2 = BasicConv2d(192, 320, 3, stride=2)
        self.branch7x7x3_1 = BasicConv2d(inputs, 192, 1)
        self.branch7x7x3_2 = _row(192, 192)
        self.branch7x7x3_3 = _column(192, 192)
        self.branch7x7x3_4 = BasicConv2d(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        three = self.branch3x3_2(self.branch3x3_1(x))
        pooled = functional.max_pool2d(x, 3, 2)
        return torch.cat([three, self.branch7x7x3_4(seven), pooled], dim=1)


class InceptionE(nn.Module):
    """8 x 8: expanded filter banks (figure 7)."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch1x1 = BasicConv2d(inputs, 320, 1)
        self.branch3x3_1 = BasicConv2d(inputs, 384, 1)
        self.branch3x3_2a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = BasicConv2d(inputs, 448, 1)
        self.branch3x3dbl_2 = BasicConv2d(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = BasicConv2d(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        branches = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        branches += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([*branches, self.branch_pool(smooth(x))], dim=1)


class InceptionAux(nn.Module):
    """The auxiliary classifier on the last 17 x 17 grid; helps training only (section 4)."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.conv0 = BasicConv2d(inputs, 128, 1)
        self.conv1 = BasicConv2d(128, 768, 5)
        self.fc = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        # At 299 the pool leaves 5 x 5 and conv1 one cell; smaller photos are stretched to that.
        x = functional.adaptive_avg_pool2d(x, 5) if x.shape[-1] != 17 else _pool5(x)
        return self.fc(self.conv1(self.conv0(x)).mean(dim=(2, 3)))


def _pool5(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, kernel_size=5, stride=3)


class InceptionV3(nn.Module):
    """The network, a row of stages.

    Shapes: x (B, 3, S, S) scaled as the weights want it, S at least 75 -> logits (B, classes).
    """

    def __init__(self, *, classes: int = 1000, aux: bool = True) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3, padding=1)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, 1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, 128)
        self.Mixed_6c = InceptionC(768, 160)
        self.Mixed_6d = InceptionC(768, 160)
        self.Mixed_6e = InceptionC(768, 192)
        self.AuxLogits = InceptionAux(768, classes) if aux else None
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.fc: nn.Module = nn.Linear(2048, classes)

    def stages(self) -> list[tuple[str, nn.Module]]:
        """What a photo passes, in order; neither the auxiliary head nor `fc`."""
        heads = ("AuxLogits", "fc")
        return [(name, stage) for name, stage in self.named_children() if name not in heads]

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The last map of stride 16 (768, 17 x 17 at 299) and of stride 32 (2048, 8 x 8)."""
        stride16 = x
        for name, stage in self.stages():
            x = stage(x)
            if name == "Mixed_6e":
                stride16 = x
        return stride16, x

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.maps(x)[1].mean(dim=(2, 3)))


@dataclass(frozen=True, slots=True)
class Scaling:
    """How pixels of 0 to 255 become what the weights were trained on: x * factor + shift."""

    factor: tuple[float, float, float]
    shift: tuple[float, float, float]

    def scale(self, pixels_BHWC: Tensor) -> Tensor:
        """(B, S, S, 3) uint8 RGB -> (B, 3, S, S) float32, in channels-last memory."""
        factor = torch.tensor(self.factor, device=pixels_BHWC.device)
        shift = torch.tensor(self.shift, device=pixels_BHWC.device)
        return (pixels_BHWC.float() * factor + shift).permute(0, 3, 1, 2)


# nsfwjs was trained on RGB / 255.
UNIT = Scaling((1 / 255,) * 3, (0.0,) * 3)
# torchvision's file: normalised by ImageNet's mean and deviation, then undone by
# `transform_input`, which together is (x / 255 - 0.5) / 0.5 up to rounding.
SYMMETRIC = Scaling((2 / 255,) * 3, (-1.0,) * 3)


class GridProjector(nn.Module):
    """Both maps in one grid of `cells` x `cells`, as narrow as the caption head wants it.

    Shapes: (B, 768, M, M), (B, 2048, N, N) -> (B, cells, cells, outputs).
    """

    def __init__(self, *, cells: int, outputs: int) -> None:
        super().__init__()
        self.cells = cells
        self.low = nn.Conv2d(768, outputs, 1)
        self.high: nn.Module = nn.Conv2d(2048, outputs, 1, bias=False)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        grid = self._resized(self.low(low)) + self._resized(self.high(high))
        return grid.permute(0, 2, 3, 1)

    def _resized(self, x: Tensor) -> Tensor:
        size = (self.cells, self.cells)
        return functional.interpolate(x.float(), size=size, mode="bilinear", align_corners=False)


def fold_batchnorm(network: InceptionV3) -> InceptionV3:
    """Fold every BatchNorm into the convolution before it, in place; for inference."""
    for module in network.modules():
        if isinstance(module, BasicConv2d) and isinstance(module.bn, nn.BatchNorm2d):
            module.conv = fuse_conv_bn_eval(module.conv.eval(), module.bn.eval())
            module.bn = nn.Identity()
    return network


def convolutions(network: InceptionV3) -> Sequence[tuple[str, BasicConv2d]]:
    """Names and blocks in the order in which Keras numbers them, without the auxiliary head."""
    return [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, BasicConv2d) and not name.startswith("AuxLogits")
    ]
