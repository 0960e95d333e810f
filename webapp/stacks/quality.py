"""Which photo of a stack is the best one, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from webapp.library.models import Photo

ENLARGED = 1.02  # so much sharper counts; less is noise of the thumbnails
Measure = Callable[[Photo], float]


@dataclass(frozen=True, slots=True)
class Criterion:
    """`of` says how much a photo has of it; `said` is the reason of one that has the most."""

    of: Measure
    said: str


def _detail(photo: Photo) -> int:
    """How much is told about when, where and with what it was taken."""
    return sum(
        (photo.taken_at is not None, photo.latitude is not None, bool(photo.camera),
         bool(photo.own_caption))
    )  # fmt: skip


# In the order in which they decide: what a person marked, then what cannot be had back. A copy that
# was made smaller may look sharper than its original, so pixels come before sharpness.
CRITERIA = (
    Criterion(lambda photo: photo.is_favourite, "a favourite"),
    Criterion(lambda photo: photo.width * photo.height, "most pixels"),
    Criterion(lambda photo: round(_sharpness(photo), 1), "sharpest"),
    Criterion(_detail, "most is known of it"),
    Criterion(lambda photo: photo.size_bytes, "largest file"),
)


def best_first(photos: Sequence[Photo]) -> list[Photo]:
    """The best photo first; among equals the one that was here first. Photos come with `print`."""
    return sorted(photos, key=lambda photo: (*(-each.of(photo) for each in CRITERIA), photo.pk))


def reasons(photos: Sequence[Photo]) -> dict[int, list[str]]:
    """For each photo in what it is ahead of all the others."""
    said: dict[int, list[str]] = {photo.pk: [] for photo in photos}
    for criterion in CRITERIA:
        values = [criterion.of(photo) for photo in photos]
        if values.count(max(values)) == 1:
            said[photos[values.index(max(values))].pk].append(criterion.said)
    return said


def _sharpness(photo: Photo) -> float:
    made = getattr(photo, "print", None)
    return made.sharpness if made else 0.0
