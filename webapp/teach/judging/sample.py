"""The photos by which versions are judged: a part of the library that no training ever learns from.

Which photos are held out follows from their bytes (`webapp.teach.holdout`), so the set is the same
for every version and run, and grows with the library. Photos that people spoke about come first.
"""

from collections.abc import Collection
from dataclasses import dataclass

from webapp.library.models import Photo
from webapp.teach.models import ModelVersion, PhotoTag
from webapp.teach.runs.holdout import is_held_out

MOST = 300  # photos; a version looks at them in about a minute on two cores


@dataclass(frozen=True)
class Said:
    """A person's word about a tag on a photo."""

    photo_id: int
    tag: str
    is_there: bool


@dataclass(frozen=True)
class Sample:
    """Held-out photos in the order of their ids, and what people said about them."""

    photo_ids: tuple[int, ...]
    said: tuple[Said, ...]
    captions: dict[int, str]  # that people wrote

    def among(self, photo_ids: Collection[int]) -> "Sample":
        """As far as it is about these photos."""
        return Sample(
            tuple(pk for pk in self.photo_ids if pk in photo_ids),
            tuple(word for word in self.said if word.photo_id in photo_ids),
            {pk: text for pk, text in self.captions.items() if pk in photo_ids},
        )


def held_out_sample(active: ModelVersion) -> Sample:
    """Up to `MOST` held-out photos that the active version has looked at."""
    seen = Photo.objects.searchable().filter(sights__version=active)
    rows = [row for row in seen.values_list("sha256", "pk", "own_caption") if is_held_out(row[0])]
    spoken = set(PhotoTag.objects.filter(version=None).values_list("photo_id", flat=True))
    one_of_each = {sha256: (pk, caption) for sha256, pk, caption in rows}
    order = sorted(
        one_of_each.items(), key=lambda row: (not (row[1][0] in spoken or row[1][1]), row[0])
    )
    chosen = {pk: caption for _, (pk, caption) in order[:MOST]}
    said = PhotoTag.objects.filter(version=None, photo__in=chosen).order_by("photo_id", "tag__name")
    return Sample(
        photo_ids=tuple(sorted(chosen)),
        said=tuple(
            Said(photo_id, tag, source == PhotoTag.Source.PERSON)
            for photo_id, tag, source in said.values_list("photo_id", "tag__name", "source")
        ),
        captions={pk: caption for pk, caption in sorted(chosen.items()) if caption},
    )
