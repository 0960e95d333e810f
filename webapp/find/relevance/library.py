"""A library in the database, of photos that were looked at and what they are given."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from vision.reading import ENGINE
from vision.sight import Sight
from webapp.accounts.models import User
from webapp.albums.services import add_photos
from webapp.find.relevance.given import Given
from webapp.library.models import Photo
from webapp.library.services.places import remember_places
from webapp.teach.corrections.saying import add_tag
from webapp.teach.models import ModelVersion
from webapp.teach.services import store_sights
from webapp.teach.text_models import ReadText

BATCH = 100
HOLDER = "evaluation"


def fill(
    user: User, version: ModelVersion, seen: Sequence[Sight], given: Sequence[Given]
) -> list[int]:
    """Put photos into the library as people and workers would. Returns their ids, in order."""
    ids: list[int] = []
    for first in range(0, len(seen), BATCH):
        rows = slice(first, first + BATCH)
        with transaction.atomic():
            ids += _store(user, version, seen[rows], given[rows], first)
    photo_of = dict(zip(ids, given, strict=True))
    for album, inside in _by(photo_of, lambda photo: photo.album).items():
        add_photos(user, Photo.objects.filter(pk__in=inside), album)
    for tag, tagged in _by(photo_of, lambda photo: photo.tag).items():
        add_tag(user, Photo.objects.filter(pk__in=tagged), tag)
    return ids


def _store(
    user: User,
    version: ModelVersion,
    seen: Sequence[Sight],
    given: Sequence[Given],
    first: int,
) -> list[int]:
    photos = Photo.objects.bulk_create(
        _photo(user, number, each) for number, each in enumerate(given, start=first)
    )
    remember_places(photos)
    ReadText.objects.bulk_create(
        ReadText(photo=photo, engine=ENGINE, text=each.sign, read_at=timezone.now())
        for photo, each in zip(photos, given, strict=True)
        if each.sign
    )
    store_sights(HOLDER, version, list(zip(photos, seen, strict=True)), {})
    return [photo.pk for photo in photos]


def _photo(user: User, number: int, given: Given) -> Photo:
    town, region, country = given.place
    return Photo(
        owner=user,
        sha256=f"{number:064}",
        file_name=given.file_name,
        media_type="image/jpeg",
        size_bytes=1,
        width=1,
        height=1,
        taken_at=given.taken_at,
        shown_at=given.taken_at,
        camera=given.camera,
        is_favourite=given.is_favourite,
        town=town,
        region=region,
        country=country,
        holder=HOLDER,
    )


def _by(photos: Mapping[int, Given], what: Callable[[Given], str]) -> dict[str, list[int]]:
    """Ids of the photos by what they are given, without those that are not."""
    groups: dict[str, list[int]] = defaultdict(list)
    for photo_id, given in photos.items():
        if what(given):
            groups[what(given)].append(photo_id)
    return groups
