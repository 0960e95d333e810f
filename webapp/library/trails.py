"""The list that a photo was opened from, and the photo's neighbours in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.urls import reverse

from webapp.accounts.models import User
from webapp.library.addresses import photo_url
from webapp.library.models import Photo
from webapp.library.services.timeline import Neighbours, neighbours
from webapp.stacks.folding import folded


@dataclass(frozen=True)
class Why:
    """Why a photo is among the results of a search."""

    reasons: tuple[str, ...]
    heat_map_url: str = ""  # of an image that shows where, if the photo's look is a reason
    is_guess: bool = False  # not for certain, as where all it satisfies are conditions


@dataclass(frozen=True)
class Trail:
    back_url: str
    back_label: str
    neighbours: Neighbours
    query: str = ""  # query string that keeps a photo page on this trail, such as "?q=dog"
    why: Why | None = None
    asked: Mapping[str, str] = field(default_factory=dict)  # form fields that say what was sought
    examples: str = ""  # beside its words, as of `webapp.find.history.wishes`

    @property
    def previous_url(self) -> str:
        return self._url(self.neighbours.previous)

    @property
    def next_url(self) -> str:
        return self._url(self.neighbours.next)

    @property
    def onward_url(self) -> str:
        """Where to go when this photo is gone."""
        return self.next_url or self.previous_url or self.back_url

    def _url(self, photo_id: int | None) -> str:
        return photo_url(photo_id) + self.query if photo_id else ""


def library_trail(user: User, photo: Photo) -> Trail:
    """Through the library, or through the trash for a photo that is there."""
    photos = Photo.objects.visible_to(user)
    if photo.trashed_at is not None:
        return Trail(reverse("library:trash"), "Trash", neighbours(photos.in_trash(), photo))
    back_url = f"{reverse('library:page')}#photo-{photo.pk}"
    shown = folded(photos.in_library(), user)
    return Trail(back_url, "Library", neighbours(shown, photo))
