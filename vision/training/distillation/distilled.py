"""What a distillation leaves behind: the student as a backbone, kept as safetensors."""

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vision.backbones.inception import UNIT, GridProjector, InceptionV3, fold_batchnorm
from vision.backbones.inception_views import (
    GridConfig,
    InceptionViews,
    short_classifier,
    short_projection,
    shorten,
)
from vision.errors import DataMissing
from vision.training.distillation.student import Standard, Student

FOLDER = "distill"  # in the work folder of the version
STUDENT = Path(FOLDER) / "student.safetensors"
# Of the classifier's 2,048: what keeps the exported file below 24 MB.
RANK = 256


@torch.no_grad()
def recalibrate(student: Student, batches: Iterable[Tensor], *, learned_from: str) -> None:
    """Measure BatchNorm's statistics anew, for averaged weights and the product's photo size.

    Only of stages that learned: those below were learned upon as they are. `batches` are pixels
    (B, S, S, 3) uint8.
    """
    names = [name for name, _ in student.network.stages()]
    learned = [stage for _, stage in student.network.stages()[names.index(learned_from) :]]
    student.eval()
    with _cumulative([m for stage in learned for m in stage.modules()]):
        for pixels_BHWC in batches:
            student(pixels_BHWC)
    student.eval()


@contextmanager
def _cumulative(modules: Iterable[nn.Module]) -> Iterator[None]:
    norms = [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    yield
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def as_views(student: Student, standard: Standard) -> InceptionViews:
    """The student's network with a grid in the teacher's own units."""
    grid = copy.deepcopy(student.grid)
    mean, deviation = standard.get_buffer("grid_mean"), standard.get_buffer("grid_deviation")
    state = grid.state_dict()  # shares the module's memory
    for name in ("low.weight", "low.bias", "high.weight"):
        state[name].mul_(deviation.reshape(-1, *(1,) * (state[name].ndim - 1)))
    state["low.bias"].add_(mean)
    return InceptionViews(student.network, student.scaling, grid)


def keep_student(views: InceptionViews, work: Path) -> Path:
    """Write it where `distilled_inception` looks."""
    path = work / STUDENT
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file({name: value.contiguous() for name, value in views.state_dict().items()}, partial)
    partial.rename(path)
    return path


def distilled_inception(work: Path) -> InceptionViews:
    """The student of the distillation in a work folder, ready to export."""
    path = work / STUDENT
    if not path.is_file():
        raise DataMissing(
            f"There is no student in {path}: Inception-v3 is distilled first, with "
            "manage.py train distill."
        )
    grid = GridConfig()
    projector = GridProjector(cells=grid.cells, outputs=grid.outputs)
    views = InceptionViews(InceptionV3(), UNIT, projector)
    views.load_state_dict(load_file(path))
    views.network.AuxLogits = None
    fold_batchnorm(views.network.eval())
    views.network.fc = shorten(views.network.fc, short_classifier(RANK))
    projector.high = shorten(projector.high, short_projection(grid.rank, grid.outputs))
    return views.eval()
