"""The student of a distillation: Inception-v3 and what maps its features to the teacher's."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision.backbones.base import Features
from vision.backbones.inception import GridProjector, InceptionV3, Scaling
from vision.errors import TrainingError

FIRST_STAGE = "Conv2d_1a_3x3"


@dataclass(frozen=True, slots=True)
class Views:
    """The teacher's four views of B photos, or the student's answer to them.

    Shapes: pooled (B, 1280) and stride16 (B, 120) and grid (B, 9, 9, 352), all standardised by the
    teacher's mean and deviation; logits (B, 1000).
    """

    pooled: Tensor
    stride16: Tensor
    grid: Tensor
    logits: Tensor


class Standard(nn.Module):
    """Mean and deviation of the teacher's features, so that each counts alike."""

    def __init__(self) -> None:
        super().__init__()
        for name, width in (("pooled", 1280), ("stride16", 120), ("grid", 352)):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_deviation", torch.ones(width))

    def measure(self, seen: Features) -> None:
        """Take mean and deviation from a sample of photos."""
        for name in ("pooled", "stride16", "grid"):
            part = torch.from_numpy(getattr(seen, name))
            rows = part.reshape(-1, part.shape[-1])
            getattr(self, f"{name}_mean").copy_(rows.mean(dim=0))
            getattr(self, f"{name}_deviation").copy_(rows.std(dim=0) + 1e-3)

    def forward(self, seen: Features) -> Views:
        parts = {name: self._standard(name, seen) for name in ("pooled", "stride16", "grid")}
        device = parts["pooled"].device
        return Views(**parts, logits=torch.from_numpy(seen.logits).to(device))

    def _standard(self, name: str, seen: Features) -> Tensor:
        mean, deviation = (self.get_buffer(f"{name}_{of}") for of in ("mean", "deviation"))
        return (torch.from_numpy(getattr(seen, name)).to(mean.device) - mean) / deviation


class Student(nn.Module):
    """Photos in, the teacher's views out; stages before `learn_from` are frozen.

    Shapes: pixels_BHWC (B, S, S, 3) uint8 RGB.
    """

    def __init__(self, network: InceptionV3, scaling: Scaling) -> None:
        super().__init__()
        self.network = network
        self.scaling = scaling
        self.pooled = nn.Linear(2048, 1280)
        self.stride16 = nn.Linear(768, 120)
        self.grid = GridProjector(cells=9, outputs=352)

    def forward(
        self, seen: Tensor, *, learn_from: str = FIRST_STAGE, kept: bool = False
    ) -> tuple[Views, Tensor]:
        """Its views, and the logits of the auxiliary head.

        `seen` are pixels, or with `kept` the maps (B, H, W, C) that enter the stage `learn_from`.
        """
        low, high = self.maps(seen, learn_from=learn_from, kept=kept)
        pooled = high.float().mean(dim=(2, 3))
        views = Views(
            pooled=self.pooled(pooled),
            stride16=self.stride16(low.float().mean(dim=(2, 3))),
            grid=self.grid(low, high),
            logits=self.network.fc(pooled),
        )
        return views, self.aux(low)

    @property
    def aux(self) -> nn.Module:
        if self.network.AuxLogits is None:
            raise TrainingError("A student needs the auxiliary head; build it with aux=True.")
        return self.network.AuxLogits

    def maps(self, seen: Tensor, *, learn_from: str, kept: bool) -> tuple[Tensor, Tensor]:
        """The maps of stride 16 and 32; kept maps have passed the frozen stages already."""
        x = seen.float().permute(0, 3, 1, 2) if kept else self.scaling.scale(seen)
        low, learns = x, False
        for name, stage in self.network.stages():
            learns = learns or name == learn_from
            if kept and not learns:
                continue
            with torch.set_grad_enabled(learns and torch.is_grad_enabled()):
                x = stage(x)
            low = x if name == "Mixed_6e" else low
        return low, x

    def freeze_before(self, learn_from: str) -> None:
        """Training mode, but stages before `learn_from` keep their BatchNorm statistics."""
        self.train()
        for name, stage in self.network.stages():
            if name == learn_from:
                return
            stage.eval()

    def stages_from(self, first: str) -> Iterator[nn.Parameter]:
        """Parameters of stages that may learn."""
        names = [name for name, _ in self.network.stages()]
        for name, stage in self.network.stages():
            if names.index(name) >= names.index(first):
                yield from stage.parameters()

    def heads(self) -> Iterator[nn.Parameter]:
        """Parameters of everything that is new."""
        parts = (self.pooled, self.stride16, self.grid, self.network.fc, self.aux)
        for part in parts:
            yield from part.parameters()


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of the loss counts."""

    pooled: float = 1.0
    stride16: float = 0.5
    grid: float = 0.5
    logits: float = 0.5
    aux: float = 0.1
    temperature: float = 2.0


def losses(answer: Views, aux: Tensor, wanted: Views, weights: Weights) -> dict[str, Tensor]:
    """The parts of the loss, each already weighed."""
    squared = {
        part: functional.mse_loss(getattr(answer, part).float(), getattr(wanted, part))
        for part in ("pooled", "stride16", "grid")
    }
    soft = {"logits": answer.logits, "aux": aux}
    squared |= {part: soft_targets(of, wanted.logits, weights) for part, of in soft.items()}
    return {part: getattr(weights, part) * loss for part, loss in squared.items()}


def soft_targets(logits: Tensor, wanted: Tensor, weights: Weights) -> Tensor:
    """KL divergence at a temperature (Hinton et al. 2015, arXiv:1503.02531)."""
    t = weights.temperature
    return (
        t
        * t
        * functional.kl_div(
            (logits.float() / t).log_softmax(dim=-1),
            (wanted / t).log_softmax(dim=-1),
            reduction="batchmean",
            log_target=True,
        )
    )
