"""What full-text search knows about a photo, gathered from the database."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import connection, transaction

from search import fulltext
from vision.vocabulary import search_forms
from webapp.albums.models import AlbumPhoto, PhotoFolder
from webapp.library.models import Photo
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.text_models import texts_in
from webapp.teach.versions.active import active_version
from webapp.teach.versions.serving import one_version

PORTION = 1_000  # photos indexed in one transaction
_OF_PHOTOS = ("file_name", "own_caption", "town", "region", "country")


def index_photos(photo_ids: Sequence[int], *, of: ModelVersion | None = None) -> None:
    """Bring the full-text rows of these photos up to date, of every version that is kept so, or
    only `of` one. Call it in the change's transaction.

    The photos are locked first: of two who change the same photo, the second reads what the first
    has written, and does not insert the same row again.
    """
    Photo.objects.filter(pk__in=photo_ids).lock()
    read, albums = texts_in(photo_ids), _albums(photo_ids)
    folders = dict(PhotoFolder.objects.filter(photo__in=photo_ids).values_list("photo_id", "path"))
    photos = list(Photo.objects.filter(pk__in=photo_ids).only(*_OF_PHOTOS))
    for version in [of] if of else versions_told():
        captions, tags = _captions(version, photo_ids), _tags(version, photo_ids)
        documents = (
            fulltext.Document(
                photo_id=photo.pk,
                tags=tags.get(photo.pk, []),
                caption=photo.own_caption or captions.get(photo.pk, ""),
                file_name=photo.file_name,
                read=read.get(photo.pk, ""),
                place=_place(photo),
                albums=albums.get(photo.pk, []),
                folder=folders.get(photo.pk, ""),
            )
            for photo in photos
        )
        fulltext.upsert(connection, documents, table=version.table)


def versions_told() -> list[ModelVersion]:
    """Every version whose full-text rows follow the photos."""
    return list(ModelVersion.objects.told()) or [active_version()]


def forget_photos(photo_ids: Sequence[int]) -> None:
    """Drop the full-text rows of deleted photos. Call it in the deletion's transaction."""
    for version in versions_told():
        fulltext.delete(connection, photo_ids, table=version.table)


def index_everything() -> Iterator[int]:
    """Make all full-text rows anew, in portions; yields how many photos each had. Search goes on
    meanwhile."""
    last = 0
    while ids := list(
        Photo.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PORTION]
    ):
        with transaction.atomic():
            index_photos(ids)
        last = ids[-1]
        yield len(ids)
    for version in versions_told():
        fulltext.prune(connection, Photo.objects.all(), table=version.table)


def _place(photo: Photo) -> list[str]:
    """Where it was taken: distinct names, the narrowest first."""
    return list(dict.fromkeys(filter(None, (photo.town, photo.region, photo.country))))


def _albums(photo_ids: Sequence[int]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = defaultdict(list)
    rows = AlbumPhoto.objects.filter(photo__in=photo_ids).order_by("album__name", "album_id")
    for photo_id, name in rows.values_list("photo_id", "album__name"):
        names[photo_id].append(name)
    return names


def _captions(version: ModelVersion, photo_ids: Sequence[int]) -> dict[int, str]:
    """The version's captions of every language, as far as they are likely."""
    sights = Sight.objects.filter(version=version, photo__in=photo_ids)
    return {
        sight.photo_id: ". ".join(text for text, _ in sight.likely_captions.values())
        for sight in sights.defer("embedding", "tags")
    }


def _tags(version: ModelVersion, photo_ids: Sequence[int]) -> dict[int, list[str]]:
    """Each photo's tags and all by which people look for them, its own words first.

    A tag's synonyms and broader words count as much as the tag: who asks for "animal" means the
    dog as well, and among all that is tagged so the embedding decides.
    """
    names: dict[int, list[str]] = defaultdict(list)
    with one_version(version):
        shown = PhotoTag.objects.shown().filter(photo__in=photo_ids)
    for photo_id, name in shown.values_list("photo_id", "tag__name").order_by(
        "-probability", "tag__name"
    ):
        names[photo_id].append(name)
    return {pk: _with_forms(own) for pk, own in names.items()}


def _with_forms(tags: Sequence[str]) -> list[str]:
    """The tags, then each of their search forms once: what explains a hit is the earlier one."""
    forms = (form for tag in tags for form in search_forms(tag))
    return list(dict.fromkeys([*tags, *forms]))
