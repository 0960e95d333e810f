"""Round a network's weights to int8 so that what its convolutions say changes least.

Rounding each weight to the nearest step loses three quarters of what int8 costs Lite2. But inputs
of a convolution go together, so the error of one weight can be made good by those that are not yet
rounded. Source: Frantar et al. 2023, "GPTQ" (arXiv:2210.17323), here for convolutions, one at a
time from the photo on, each on the inputs that the rounded ones before it give.

Shapes: O outputs, I inputs of an output (of a depthwise convolution the cells of its kernel).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 127  # of either sign, as the quantiser takes them
DAMPING = 0.01  # of the mean of the diagonal, for inputs that hardly occur


@torch.no_grad()
def round_weights(network: nn.Module, photos: Sequence[Tensor], *, float_first: int = 0) -> None:
    """Change the weights in place; the first convolutions stay as they are.

    `photos` are batches of pixels (B, S, S, 3) uint8. The quantiser, which takes a scale for each
    output from its largest weight, then finds every weight on one of its steps.
    """
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for conv in convolutions[float_first:]:
        with _watched(conv) as products:
            for batch in photos:
                _until(network, batch)
        weights = conv.weight.flatten(1)
        rounded = _round(weights, products.total, shared=conv.groups == 1)
        conv.weight.copy_(rounded.reshape(conv.weight.shape))


@dataclass(slots=True)
class _Products:
    """Sum of products of inputs: (I, I), of a depthwise convolution (O, I, I)."""

    total: Tensor = field(default_factory=lambda: torch.zeros(()))


class _Seen(Exception):
    """Nothing behind the watched convolution is needed."""


@contextmanager
def _watched(conv: nn.Conv2d) -> Iterator[_Products]:
    products = _Products()

    def note(module: nn.Conv2d, inputs: tuple[Tensor]) -> None:
        products.total = products.total + _inner_products(module, inputs[0])
        raise _Seen

    hook = conv.register_forward_pre_hook(note)
    yield products
    hook.remove()


def _until(network: nn.Module, batch: Tensor) -> None:
    try:
        network(batch)
    except _Seen:
        return


def _inner_products(conv: nn.Conv2d, x: Tensor) -> Tensor:
    kernel, stride = conv.kernel_size, conv.stride
    if conv.groups == 1 and kernel == (1, 1):
        rows = x.permute(0, 2, 3, 1).flatten(0, 2)
        return rows.T @ rows
    padding = getattr(conv, "static_padding", None)  # TensorFlow's, which is not symmetric
    x = padding(x) if padding is not None else functional.pad(x, _sides(conv))
    cells = functional.unfold(x, kernel, stride=stride)
    if conv.groups == 1:
        rows = cells.transpose(1, 2).flatten(0, 1)
        return rows.T @ rows
    by_channel = cells.unflatten(1, (x.shape[1], -1)).permute(1, 2, 0, 3).flatten(2)
    return by_channel @ by_channel.transpose(1, 2)


def _sides(conv: nn.Conv2d) -> list[int]:
    height, width = (int(each) for each in conv.padding)
    return [width, width, height, height]


def _round(weights_OI: Tensor, products: Tensor, *, shared: bool) -> Tensor:
    """Column by column, the inputs that matter most first."""
    scale_O = (weights_OI.abs().amax(dim=1) / LEVELS).clamp(min=1e-12)
    largest_O = weights_OI.abs().argmax(dim=1)
    products = products[None] if shared else products  # (1 or O, I, I)
    order = products.diagonal(dim1=1, dim2=2).mean(dim=0).argsort(descending=True)
    back = _spread(products[:, order][:, :, order])
    left_OI = weights_OI[:, order].clone()
    rounded_OI = torch.empty_like(left_OI)
    for column, place in enumerate(order.tolist()):
        steps_O = (left_OI[:, column] / scale_O).round().clamp(-LEVELS, LEVELS)
        # The largest stays on the last step: the quantiser takes the scale from it.
        last_O = weights_OI[:, place].sign() * LEVELS
        steps_O = torch.where(largest_O == place, last_O, steps_O)
        rounded_OI[:, column] = steps_O * scale_O
        error_O = (left_OI[:, column] - rounded_OI[:, column]) / back[:, column, column]
        left_OI[:, column + 1 :] -= error_O[:, None] * back[:, column, column + 1 :]
    return rounded_OI[:, order.argsort()]


def _spread(products: Tensor) -> Tensor:
    """Upper Cholesky factor of the inverse: how to spread an error over the columns that follow."""
    size = products.shape[-1]
    mean = products.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None].clamp(min=1e-9)
    damped = (products + DAMPING * mean * torch.eye(size)).double()
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(damped))
    return torch.linalg.cholesky(inverse, upper=True).float()
