"""From the arrays of a version folder into a torch module, with a reason when they do not fit."""

from typing import TypeVar

import torch
from torch import nn

from vision.errors import WeightsError
from vision.versions import Version

Module = TypeVar("Module", bound=nn.Module)


def load_weights(module: Module, version: Version, file: str, *, device: str) -> Module:
    """Fill `module` from a safetensors file (any float type) and make it ready to run.

    Raises WeightsError when a weight is missing, unknown or of another shape.
    """
    arrays = version.arrays(file)
    wanted = module.state_dict()
    if arrays.keys() != wanted.keys():
        odd = ", ".join(sorted(arrays.keys() ^ wanted.keys()))
        raise WeightsError(f"{file} of {version.name} does not fit its network; look at: {odd}.")
    for name, array in arrays.items():
        if array.shape != tuple(wanted[name].shape):
            raise WeightsError(
                f"{name!r} in {file} of {version.name} has the shape {array.shape}, but the "
                f"network needs {tuple(wanted[name].shape)}."
            )
    tensors = {
        name: torch.from_numpy(array).to(wanted[name].dtype) for name, array in arrays.items()
    }
    module.load_state_dict(tensors)
    return module.to(device).eval().requires_grad_(False)
