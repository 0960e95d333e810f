"""What can be pulled and adopted here, and the owner's photos that models are fitted to."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from vision.decoding import UnreadableImage
from vision.errors import WeightsError
from vision.pulling.catalogue import CATALOGUE, Pullable
from vision.sight import Image
from vision.versions import open_version
from webapp.library.models import Photo
from webapp.library.services.decoding import render
from webapp.teach.runs.holdout import is_held_out
from webapp.teach.versions.folders import Known, known_versions

FITTED_PHOTOS = 128


@dataclass(frozen=True)
class Offer:
    """A model of the catalogue, and whether it is here."""

    entry: Pullable
    is_here: bool


def offers(versions: Sequence[Known]) -> list[Offer]:
    """Everything that can be pulled."""
    here = {version.name for version in versions}
    return [Offer(entry, entry.name in here) for entry in CATALOGUE.values()]


def adoptable(versions: Sequence[Known]) -> set[str]:
    """Names of the versions whose backbone could take over from the one at work."""
    present = next((_backbone(each) for each in versions if each.is_active), {})
    return {
        each.name
        for each in versions
        if (own := _backbone(each)) and own != present and own["name"] != "adopted"
    }


def _backbone(version: Known) -> dict[str, Any]:
    try:
        return open_version(version.folder).parts.get("backbone", {})
    except WeightsError:
        return {}


def photos_to_fit_to() -> list[int]:
    """All photos that were looked at and are not held out from trainings, oldest first."""
    ready = Photo.objects.filter(state=Photo.State.READY).order_by("pk")
    return [pk for pk, sha256 in ready.values_list("pk", "sha256") if not is_held_out(sha256)]


def load_photos(numbers: Sequence[int], *, size: int) -> list[Image | None]:
    """The pixels of photos, squashed to `size`; None for what cannot be read."""
    found = Photo.objects.in_bulk(numbers)
    with ThreadPoolExecutor(settings.MAREA_DECODERS) as threads:
        return list(threads.map(lambda number: _pixels(found.get(number), size), numbers))


def _pixels(photo: Photo | None, size: int) -> Image | None:
    try:
        return render(photo, network_size=size, thumbnails={}).pixels if photo else None
    except UnreadableImage:
        return None


def some_photos(size: int = 384) -> list[Image]:
    """A few of the library, evenly spread over it, for models that are fitted to them."""
    numbers = photos_to_fit_to()
    every = max(1, len(numbers) // FITTED_PHOTOS)
    read = load_photos(numbers[::every][:FITTED_PHOTOS], size=size)
    return [image for image in read if image is not None]


def free_name(name: str) -> str:
    """`name`, or with the first number that no version has."""
    taken = {version.name for version in known_versions()}
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(each for each in numbered if each not in taken)
