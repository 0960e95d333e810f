"""Albums over the API."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from webapp.accounts.http import SignedInRequest
from webapp.albums.models import MAX_NAME_LENGTH, Album
from webapp.albums.services import (
    Shown,
    albums_of,
    create_album,
    delete_album,
    get_album,
    photos_in,
    put_into,
    rename_album,
    take_out,
)
from webapp.library.cursors import page_of
from webapp.library.schemas import PhotoOut, PhotoPage
from webapp.library.services.reading import chosen
from webapp.schemas import Body, Changed, Id, PhotoIds, Text, fails
from webapp.teach.words import with_words

router = Router(tags=["albums"])

AlbumName = Annotated[Text, Field(min_length=1, max_length=MAX_NAME_LENGTH)]


class AlbumOut(Schema):
    id: int
    name: str
    created_at: datetime
    photos: int = Field(description="Its photos in the library; those in the trash not counted.")
    cover: int | None = Field(description="Id of its newest photo.")


class Albums(Schema):
    albums: list[AlbumOut]


class NamedAlbum(Body):
    name: AlbumName


class Page(Schema):
    cursor: Text = Field("", max_length=500, description="`next_cursor` of the page before.")
    limit: int = Field(100, ge=1, le=500)


@router.get("albums", response={200: Albums, **fails()}, url_name="albums")
def list_albums(request: SignedInRequest) -> Albums:
    """Your albums by name."""
    return Albums(albums=[_out(each) for each in albums_of(request.user)])


@router.post("albums", response={201: AlbumOut, **fails(400, 409)})
def make_album(request: SignedInRequest, payload: NamedAlbum) -> Status:
    """A new, empty album; 409 when you have one of this name."""
    album = create_album(request.user, payload.name)
    return Status(201, _out(Shown(album, 0, None)))


@router.get("albums/{int:album_id}", response={200: PhotoPage, **fails(400, 404)}, url_name="album")
def list_album(request: SignedInRequest, album_id: Id, wanted: Query[Page]) -> PhotoPage:
    """An album's photos, newest first."""
    album = get_album(request.user, album_id)
    photos = with_words(photos_in(request.user, album), request.user, read=True)
    found, next_cursor = page_of(photos, wanted.cursor, limit=wanted.limit)
    return PhotoPage(photos=[PhotoOut.of(photo) for photo in found], next_cursor=next_cursor)


@router.patch("albums/{int:album_id}", response={200: AlbumOut, **fails(400, 404, 409)})
def change_album(request: SignedInRequest, album_id: Id, payload: NamedAlbum) -> AlbumOut:
    """Give an album another name."""
    album = get_album(request.user, album_id)
    rename_album(request.user, album, payload.name)
    return _read(request, album)


@router.delete("albums/{int:album_id}", response={200: Changed, **fails(404)})
def remove_album(request: SignedInRequest, album_id: Id) -> dict[str, Any]:
    """Delete an album; its photos stay in the library."""
    return {"changed": delete_album(get_album(request.user, album_id))}


@router.post("albums/{int:album_id}/add", response={200: Changed, **fails(400, 404)})
def add_to_album(request: SignedInRequest, album_id: Id, payload: PhotoIds) -> dict[str, Any]:
    """Put photos into an album."""
    album = get_album(request.user, album_id)
    return {"changed": put_into(album, chosen(request.user, payload.ids))}


@router.post("albums/{int:album_id}/remove", response={200: Changed, **fails(400, 404)})
def take_from_album(request: SignedInRequest, album_id: Id, payload: PhotoIds) -> dict[str, Any]:
    """Take photos out of an album; they stay in the library."""
    album = get_album(request.user, album_id)
    return {"changed": take_out(album, chosen(request.user, payload.ids))}


def _read(request: SignedInRequest, album: Album) -> AlbumOut:
    shown = {each.album.pk: each for each in albums_of(request.user)}
    return _out(shown[album.pk])


def _out(shown: Shown) -> AlbumOut:
    return AlbumOut(
        id=shown.album.pk,
        name=shown.album.name,
        created_at=shown.album.created_at,
        photos=shown.photos,
        cover=shown.cover.pk if shown.cover else None,
    )
