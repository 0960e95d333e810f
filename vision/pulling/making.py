"""What becomes of fetched files: makers by name, each putting its parts into a draft.

A maker takes the folder with the verified files, the draft and some of the owner's photos (maybe
none), and returns figures for the version's metrics. Loads torch.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from vision.backbones.inception import InceptionV3
from vision.errors import PullError
from vision.pulling.unpickling import convert
from vision.registry import Registry
from vision.sight import Image
from vision.training.publish import Draft, save_half

Maker = Callable[[Path, Draft, Sequence[Image]], dict[str, Any]]
MAKERS: Registry[Maker] = Registry("pulled model")

INCEPTION_FILE = "inception.safetensors"


@MAKERS.register("inception-v3")
def make_inception(fetched: Path, draft: Draft, photos: Sequence[Image]) -> dict[str, Any]:
    """The official checkpoint, under torchvision's names, as safetensors."""
    (pickle,) = fetched.glob("*.pth")
    plain = fetched / "model.safetensors"
    convert(pickle, plain)
    network = InceptionV3()
    _fill(network, plain, pickle.name)
    save_half(network, draft.folder / INCEPTION_FILE)
    draft.parts["backbone"] = {"name": "inception-v3-official", "file": INCEPTION_FILE}
    return {"parameters": sum(p.numel() for p in network.parameters())}


def _fill(network: nn.Module, path: Path, name: str) -> None:
    """Load a checkpoint whose names, shapes and numbers must fit; counters of batches may lack."""
    state = {key: value for key, value in load_file(path).items() if not _counts(key)}
    wanted = {key: value for key, value in network.state_dict().items() if not _counts(key)}
    if state.keys() != wanted.keys():
        odd = ", ".join(sorted(state.keys() ^ wanted.keys())[:5])
        raise PullError(f"{name} was refused: it is not of this network; look at: {odd}.")
    for key, value in state.items():
        if value.shape != wanted[key].shape:
            shapes = f"{tuple(value.shape)} instead of {tuple(wanted[key].shape)}"
            raise PullError(f"{name} was refused: {key!r} has the shape {shapes}.")
        if not torch.isfinite(value).all():
            raise PullError(f"{name} was refused: {key!r} holds a weight that is not a number.")
    network.load_state_dict(state, strict=False)


def _counts(key: str) -> bool:
    return key.endswith("num_batches_tracked")


@MAKERS.register("clip")
def make_clip(fetched: Path, draft: Draft, photos: Sequence[Image]) -> dict[str, Any]:
    """CLIP's two sides as the version's embedding and text parts."""
    from vision.strong import pulled

    return pulled.make_clip(fetched, draft, photos)


@MAKERS.register("siglip")
def make_siglip(fetched: Path, draft: Draft, photos: Sequence[Image]) -> dict[str, Any]:
    """SigLIP's two sides as the version's embedding and text parts."""
    from vision.strong import pulled

    return pulled.make_siglip(fetched, draft, photos)


@MAKERS.register("blip")
def make_blip(fetched: Path, draft: Draft, photos: Sequence[Image]) -> dict[str, Any]:
    """BLIP as the version's captioner."""
    from vision.strong import pulled

    convert(fetched / "pytorch_model.bin", fetched / "model.safetensors")
    return pulled.make_blip(fetched, draft)
