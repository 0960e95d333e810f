"""Making albums, filling them, and finding them again. Search knows a photo's albums at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, Q, Subquery

from webapp.accounts.models import User
from webapp.albums.models import MAX_NAME_LENGTH, Album, AlbumPhoto
from webapp.errors import Conflict, NotFound, Refused
from webapp.find.index.documents import index_photos
from webapp.library.models import Photo, PhotoQuerySet
from webapp.texts import JOINER, one_line

PORTION = 1_000  # photos whose words are brought up to date in one transaction


@dataclass(frozen=True)
class Shown:
    """An album as a list shows it. The cover is its newest photo in the library."""

    album: Album
    photos: int
    cover: Photo | None


def albums_of(user: User) -> list[Shown]:
    """The user's albums by name, in two queries however many they are."""
    in_library = Q(album_photos__photo__trashed_at=None)
    newest = AlbumPhoto.objects.filter(album=OuterRef("pk"), photo__trashed_at=None).order_by(
        "-photo__shown_at", "-photo_id"
    )
    albums = list(
        Album.objects.visible_to(user)
        .annotate(
            photos=Count("album_photos", filter=in_library),
            cover_id=Subquery(newest.values("photo")[:1]),
        )
        .by_name()
    )
    covers = Photo.objects.visible_to(user).in_bulk([each.cover_id for each in albums])
    return [Shown(each, each.photos, covers.get(each.cover_id)) for each in albums]


def album_names(user: User) -> list[str]:
    return list(Album.objects.visible_to(user).by_name().values_list("name", flat=True))


def get_album(user: User, album_id: int) -> Album:
    """Raises `NotFound`, also for somebody else's."""
    album = Album.objects.visible_to(user).filter(pk=album_id).first()
    if album is None:
        raise NotFound("There is no such album.")
    return album


def albums_with(user: User, photo: Photo) -> list[Album]:
    """The user's albums that a photo is in."""
    return list(Album.objects.visible_to(user).filter(album_photos__photo=photo).by_name())


def photos_in(user: User, album: Album) -> PhotoQuerySet:
    """The album's photos, without those in the trash."""
    inside = AlbumPhoto.objects.filter(album=album).values("photo")
    return Photo.objects.visible_to(user).in_library().filter(pk__in=inside)


def tidy_name(name: str) -> str:
    """A name as it is stored: single spaces. Raises `Refused` when nothing is left."""
    tidy = one_line(name)
    if not tidy.strip(JOINER):
        raise Refused("An album needs a name. Nothing was changed.", field="album")
    if len(tidy) > MAX_NAME_LENGTH:
        raise Refused(
            f"An album's name may have at most {MAX_NAME_LENGTH} characters, this one has "
            f"{len(tidy)}. Nothing was changed.",
            field="album",
        )
    return tidy


def create_album(user: User, name: str) -> Album:
    """A new, empty album. Raises `Refused`, and `Conflict` when there is one of this name."""
    tidy = tidy_name(name)
    if named(user, tidy):
        raise _taken(tidy)
    try:
        with transaction.atomic():
            return Album.objects.create(owner=user, name=tidy)
    except IntegrityError as error:  # another request was faster
        raise _taken(tidy) from error


def rename_album(user: User, album: Album, name: str) -> None:
    """Raises `Refused` and `Conflict` as of `create_album`."""
    tidy = tidy_name(name)
    other = named(user, tidy)
    if other and other.pk != album.pk:
        raise _taken(tidy)
    try:
        with transaction.atomic():
            Album.objects.filter(pk=album.pk).update(name=tidy)
    except IntegrityError as error:
        raise _taken(tidy) from error
    album.name = tidy
    _index(_photo_ids(album))


def delete_album(album: Album) -> int:
    """Delete the album; its photos stay in the library. Returns how many were in it."""
    ids = _photo_ids(album)
    album.delete()
    _index(ids)
    return len(ids)


def add_photos(user: User, photos: PhotoQuerySet, name: str) -> int:
    """Put photos into the album of this name, which is made if there is none. Returns how many."""
    album = named(user, tidy_name(name)) or create_album(user, name)
    return put_into(album, photos)


@transaction.atomic
def put_into(album: Album, photos: PhotoQuerySet) -> int:
    ids = photos.filter(owner=album.owner_id).lock()
    AlbumPhoto.objects.bulk_create(
        [AlbumPhoto(album=album, photo_id=pk) for pk in ids], ignore_conflicts=True
    )
    index_photos(ids)
    return len(ids)


def remove_photos(user: User, photos: PhotoQuerySet, name: str) -> int:
    """Take photos out of the album of this name. Returns how many were in it."""
    album = named(user, tidy_name(name))
    return take_out(album, photos) if album else 0


@transaction.atomic
def take_out(album: Album, photos: PhotoQuerySet) -> int:
    ids = photos.lock()
    inside = AlbumPhoto.objects.filter(album=album, photo__in=ids)
    count, _ = inside.delete()
    index_photos(ids)
    return count


def inside(photos: PhotoQuerySet, name: str) -> PhotoQuerySet:
    """Those of one person's `photos` that are in their album of this name."""
    rows = AlbumPhoto.objects.filter(photo__in=photos, album__name__iexact=tidy_name(name))
    return photos.filter(pk__in=rows.values("photo"))


def named(user: User, name: str) -> Album | None:
    """The album that goes by this name; capitals make no other one."""
    albums = Album.objects.visible_to(user).filter(name__iexact=name)
    return next((each for each in albums if each.name == name), None) or albums.first()


def _photo_ids(album: Album) -> list[int]:
    rows = AlbumPhoto.objects.filter(album=album).order_by("photo_id")
    return list(rows.values_list("photo_id", flat=True))


def _index(photo_ids: Sequence[int]) -> None:
    for at in range(0, len(photo_ids), PORTION):
        with transaction.atomic():
            index_photos(photo_ids[at : at + PORTION])


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is an album called “{name}” already. Choose another name.",
        code="name_taken",
        field="album",
    )
