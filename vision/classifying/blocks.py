"""Training the layers above the grid together with the classifier on them.

It starts from the backbone's own layer and from the best head on it, as fine-tuning both at once
from a random head spoils features (Kumar et al. 2022, arXiv:2202.10054); a small rate and a pull
towards the start (as L2-SP, Li et al. 2018, arXiv:1802.01483) hold it there, and it ends when the
validation loss has not fallen. Photos are augmented by what can be had without looking again:
their mirror image, which was looked at too, and dropout on what the layers make of it. A window of
cells in place of the whole grid was tried and made the validation loss worse.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vision.backbones.onnx_weights import dequantised
from vision.classifying.fitting import (
    BACKGROUND_SHARE,
    Curve,
    Examples,
    Fitted,
    Floats,
    Ints,
    class_weights,
    place_middles,
)
from vision.classifying.grids import Grids
from vision.classifying.snapshot import TRAIN
from vision.errors import TrainingError
from vision.heads.classifier import ClassifierNetwork
from vision.heads.upper import UpperConfig, UpperLayers
from vision.training.checkpoint import Checkpoint, fingerprint
from vision.training.steps import learning_rate, seed_step
from vision.versions import Version

BATCH = 64
HEAD = "network._conv_head"  # the layer above the grid, in the backbone's file


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the layers above the grid are trained; the rate falls to nothing along a cosine. `hold`
    is the share of the way back to the start that a step goes, per unit of rate."""

    rate: float = 1e-4
    hold: float = 10.0
    epochs: int = 15
    patience: int = 5
    smoothing: float = 0.1


@dataclass(frozen=True, slots=True)
class Mapped:
    """Examples of one side; `rows` are their places in `grids`."""

    examples: Examples
    grids: Grids
    rows: Ints

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, chosen: Ints, turned: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
        """Grids and stride-16 maps of examples by number."""
        grids = self.grids.take(self.rows[chosen], turned)
        views = np.where(
            turned[:, None], self.examples.mirrored[chosen], self.examples.plain[chosen]
        )
        return grids, torch.from_numpy(views)


class Tuned(nn.Module):
    """The layers and the classifier on them, and where they stand on validation photos."""

    def __init__(self, layers: UpperLayers, network: ClassifierNetwork) -> None:
        super().__init__()
        self.layers, self.network = layers, network
        self.register_buffer("loss", torch.zeros((), dtype=torch.float64))
        self.register_buffer("top1", torch.zeros((), dtype=torch.float64))
        self.register_buffer("epoch", torch.zeros((), dtype=torch.int64))

    loss: Tensor
    top1: Tensor
    epoch: Tensor

    def described(self, grids: Tensor, views: Tensor) -> Tensor:
        """Of `views`, which are descriptions by the backbone, only the stride-16 map is read."""
        return self.layers(grids, views[:, self.layers.config.width :])

    def forward(self, grids: Tensor, views: Tensor) -> Tensor:
        return self.network(self.described(grids, views))


def layers_of(base: Version) -> UpperLayers:
    """The backbone's own layer above the grid. Raises TrainingError when it has no such one."""
    spec = base.part("backbone")
    file = spec.get("onnx")
    weights = dequantised(base.path(file)) if spec["name"] == "efficientnet-lite2" and file else {}
    try:
        weight, bias = weights[f"{HEAD}.weight"], weights[f"{HEAD}.bias"]
    except KeyError:
        raise TrainingError(
            "The layers above the grid can be trained on EfficientNet-Lite2 only, and "
            f"{base.name} looks with another backbone. Choose another head; nothing was trained."
        ) from None
    layers = UpperLayers(UpperConfig(channels=weight.shape[1], width=weight.shape[0]))
    layers.cells.weight.data.copy_(torch.from_numpy(weight[:, :, 0, 0]))
    layers.cells.bias.data.copy_(torch.from_numpy(bias))
    return layers


def tune(
    layers: UpperLayers,
    head: Fitted,
    train: Mapped,
    validation: Mapped,
    *,
    how: Tuning,
    seed: int,
    kept: Path,
    curve: Curve,
) -> Tuned:
    """The best of the epochs on validation photos; its `epoch` is 0 when none beat the start.

    Stopped, it goes on from the checkpoint in `kept` and comes to the same weights.
    """
    start = Tuned(layers, head.network).requires_grad_(False)
    _validate(start, validation, how, 0)
    model = copy.deepcopy(start).requires_grad_(True)
    best = copy.deepcopy(start)
    optimiser = torch.optim.AdamW(model.parameters(), lr=how.rate, weight_decay=0.0)
    checkpoint = _checkpoint(kept, how, seed, head, train, validation)
    done = checkpoint.resume({"now": model, "best": best}, optimiser)
    for epoch in range(done + 1, how.epochs + 1):
        if epoch - 1 - int(best.epoch) >= how.patience:
            break
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(epoch - 1, how.epochs, peak=how.rate, warmup=0)
        loss = _epoch(model, start, train, how, optimiser, seed_step(seed, epoch))
        _validate(model, validation, how, epoch)
        if model.loss < best.loss:
            best.load_state_dict(model.state_dict())
        checkpoint.save(epoch, {"now": model, "best": best}, optimiser)
        standing = {"validation loss": float(model.loss), "validation top-1": float(model.top1)}
        curve(epoch, {"loss": loss} | standing)
    checkpoint.path.unlink(missing_ok=True)
    return best.eval()


def _epoch(
    model: Tuned,
    start: Tuned,
    train: Mapped,
    how: Tuning,
    optimiser: torch.optim.Optimizer,
    chance: np.random.Generator,
) -> float:
    """One pass over the photos of the classes; the mean loss."""
    model.train()
    classes = model.network.config.classes
    weights = class_weights(train.examples.labels, classes)
    losses = []
    for chosen in _batches(train.examples.labels, classes, chance):
        grids, views = train.batch(chosen, chance.random(len(chosen)) < 0.5)
        labels = torch.from_numpy(train.examples.labels[chosen])
        logits = model(grids, views)
        loss = functional.cross_entropy(
            logits, labels, weight=weights, label_smoothing=how.smoothing
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        _pull(model, start, optimiser.param_groups[0]["lr"] * how.hold)
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _batches(labels: Ints, classes: int, chance: np.random.Generator) -> Iterator[Ints]:
    """Photos of the classes in a new order, with some of none of the classes among them."""
    own, others = np.flatnonzero(labels < classes), np.flatnonzero(labels == classes)
    order = chance.permutation(own)
    for first in range(0, len(order), BATCH):
        rows = order[first : first + BATCH]
        if len(others):
            number = max(1, round(BACKGROUND_SHARE * len(rows)))
            rows = np.concatenate([rows, chance.choice(others, number)])
        yield rows


@torch.no_grad()
def _pull(model: nn.Module, start: nn.Module, share: float) -> None:
    for now, then in zip(model.parameters(), start.parameters(), strict=True):
        now.lerp_(then, share)


@torch.no_grad()
def _validate(model: Tuned, validation: Mapped, how: Tuning, epoch: int) -> None:
    """Note how good the model is on validation photos, and after which epoch that was."""
    logits = model.network.eval()(torch.from_numpy(described(model, validation)))
    labels = torch.from_numpy(validation.examples.labels)
    own = labels < model.network.config.classes
    right = logits[own, :-1].argmax(dim=1) == labels[own]
    model.loss.fill_(functional.cross_entropy(logits, labels, label_smoothing=how.smoothing))
    model.top1.fill_(right.double().mean())
    model.epoch.fill_(epoch)


@torch.inference_mode()
def described(model: Tuned, side: Mapped) -> Floats:
    """What the layers make of photos as they are, (N, F)."""
    starts = range(0, len(side), BATCH)
    chosen = [np.arange(first, min(first + BATCH, len(side))) for first in starts]
    parts = [model.described(*side.batch(rows, np.zeros(len(rows), bool))) for rows in chosen]
    return torch.cat(parts).numpy()


def settled(
    model: Tuned, head: Fitted, sides: dict[str, Mapped]
) -> tuple[Fitted, dict[str, Examples]]:
    """The tuned classifier as any other, with examples as its layers describe them: from here on
    it is calibrated and judged like one."""
    examples = {}
    for name, side in sides.items():
        plain = described(model, side)
        examples[name] = replace(side.examples, plain=plain, mirrored=plain)
    fitted = replace(
        head,
        network=model.network,
        recipe=replace(head.recipe, name=f"blocks (from {head.recipe.name})"),
        top1=float(model.top1),
        loss=float(model.loss),
        epochs=int(model.epoch),
    )
    place_middles(fitted.network, examples[TRAIN])
    return fitted, examples


def _checkpoint(
    kept: Path, how: Tuning, seed: int, head: Fitted, train: Mapped, validation: Mapped
) -> Checkpoint:
    """One for each training, so that no two meet in a file."""
    sides = (each for side in (train, validation) for each in (side.examples.plain, side.rows))
    weights = head.network.state_dict().values()
    key = fingerprint(how, np.array([seed]), *sides, train.examples.labels, *weights)
    return Checkpoint(kept / f"blocks-{key[:24]}.checkpoint", key)
