"""What full-text search knows about a photo, gathered from the database."""

from collections import defaultdict
from collections.abc import Sequence

from django.db import connection

from search import fulltext
from webapp.library.models import Photo
from webapp.teach.models import PhotoTag, Sight


def index_photos(photo_ids: Sequence[int]) -> None:
    """Bring the full-text rows of these photos up to date. Call it in the change's transaction."""
    photos = Photo.objects.filter(pk__in=photo_ids).values_list("pk", "file_name", "own_caption")
    captions = dict(
        Sight.objects.filter(photo__in=photo_ids, version__is_active=True).values_list(
            "photo_id", "caption"
        )
    )
    tags = _tags(photo_ids)
    fulltext.upsert(
        connection,
        [
            fulltext.Document(
                photo_id=pk,
                tags=tags[pk],
                caption=own_caption or captions.get(pk, ""),
                file_name=file_name,
            )
            for pk, file_name, own_caption in photos
        ],
    )


def forget_photos(photo_ids: Sequence[int]) -> None:
    """Drop the full-text rows of deleted photos. Call it in the deletion's transaction."""
    fulltext.delete(connection, photo_ids)


def _tags(photo_ids: Sequence[int]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = defaultdict(list)
    shown = PhotoTag.objects.shown().filter(photo__in=photo_ids)
    for photo_id, name in shown.values_list("photo_id", "tag__name").order_by("-probability"):
        names[photo_id].append(name)
    return names
