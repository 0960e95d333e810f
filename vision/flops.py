"""How much arithmetic a network needs, counted as it runs."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def multiply_adds(network: nn.Module, inputs: torch.Tensor) -> int:
    """Multiply-accumulates of one forward pass: convolutions and matrix products, as papers do."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(inputs)
    return counter.get_total_flops() // 2


def parameters(network: nn.Module) -> int:
    """Numbers that training may change."""
    return sum(each.numel() for each in network.parameters())
