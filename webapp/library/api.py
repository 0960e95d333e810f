"""Photos over the API: list, upload, read, change, trash, restore, and how looking goes on."""

from pathlib import Path
from typing import Annotated, Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponseBase
from ninja import File, Form, Query, Router, Schema
from ninja.files import UploadedFile
from ninja.responses import Status
from pydantic import Field

from webapp.accounts.http import SignedInRequest
from webapp.accounts.models import User
from webapp.library.cursors import page_of
from webapp.library.file_names import ENDINGS
from webapp.library.models import Photo, PhotoQuerySet
from webapp.library.schemas import (
    MAX_FAILURES,
    AddedPhoto,
    Failed,
    Hashes,
    Jobs,
    KnownPhotos,
    PhotoChange,
    PhotoOut,
    PhotoPage,
    Size,
    State,
    TagName,
    utc,
)
from webapp.library.services.adding import Outcome, add_photo
from webapp.library.services.claims import retry
from webapp.library.services.favourites import set_favourite
from webapp.library.services.processing import progress_of, set_aside
from webapp.library.services.reading import chosen, get_photo
from webapp.library.services.trash import restore_photos, trash_photos
from webapp.library.services.uploads import known_photos
from webapp.library.views import files
from webapp.schemas import Changed, Id, PhotoIds, SaidOut, Text, Time, fails, sends
from webapp.teach.corrections.saying import (
    add_tag,
    confirm_tag,
    reject_tag,
    rename_tag,
    write_caption,
)
from webapp.teach.models import tagged
from webapp.teach.reading import count_waiting
from webapp.teach.services import tidy_tag
from webapp.teach.words import with_words

router = Router(tags=["photos"])


class PhotoFilter(Schema):
    trash: bool = Field(False, description="Photos in the trash instead of the library.")
    favourite: bool | None = None
    state: State | None = None
    tag: TagName | None = Field(None, description="Photos that carry exactly this tag.")
    cursor: Text = Field("", max_length=500, description="`next_cursor` of the page before.")
    limit: int = Field(100, ge=1, le=500)

    def apply(self, photos: PhotoQuerySet) -> PhotoQuerySet:
        photos = photos.in_trash() if self.trash else photos.in_library()
        if self.favourite is not None:
            photos = photos.filter(is_favourite=self.favourite)
        if self.state:
            photos = photos.filter(state=self.state)
        return tagged(photos, tidy_tag(self.tag)) if self.tag else photos


@router.get("photos", response={200: PhotoPage, **fails(400)}, url_name="photos")
def list_photos(request: SignedInRequest, chosen: Query[PhotoFilter]) -> PhotoPage:
    """The library, newest first."""
    photos = chosen.apply(Photo.objects.visible_to(request.user))
    photos = with_words(photos, request.user, read=True)
    found, next_cursor = page_of(photos, chosen.cursor, limit=chosen.limit)
    return PhotoPage(photos=[PhotoOut.of(photo) for photo in found], next_cursor=next_cursor)


@router.post(
    "photos",
    response={200: AddedPhoto, 201: AddedPhoto, **fails(400, 413, 503, 507)},
    url_name="photos",
)
def upload_photo(
    request: SignedInRequest,
    file: Annotated[UploadedFile, File()],
    modified_at: Annotated[Time | None, Form()] = None,
) -> Status:
    """Add a photo: 201 when it is new, 200 when its bytes were here already (or in the trash)."""
    added = add_photo(
        request.user,
        Path(file.temporary_file_path()),  # type: ignore[attr-defined]
        file_name=file.name or "",
        modified_at=utc(modified_at),
    )
    shown = AddedPhoto(outcome=added.outcome.value, photo=_describe(request, added.photo.pk))
    return Status(201 if added.outcome is Outcome.NEW else 200, shown)


@router.post("photos/known", response={200: KnownPhotos, **fails(400)})
def which_are_known(request: SignedInRequest, payload: Hashes) -> dict[str, Any]:
    """Which of these SHA-256s are in the library, so that their bytes need not be sent."""
    return {"known": known_photos(request.user, payload.sha256)}


@router.get("photos/{int:photo_id}", response={200: PhotoOut, **fails(404)}, url_name="photo")
def read_photo(request: SignedInRequest, photo_id: Id) -> PhotoOut:
    return _describe(request, photo_id)


@router.patch("photos/{int:photo_id}", response={200: PhotoOut, **fails(400, 404)})
def change_photo(request: SignedInRequest, photo_id: Id, payload: PhotoChange) -> PhotoOut:
    """Mark as favourite, word the caption, add and remove tags."""
    user = request.user
    photo = get_photo(user, photo_id)
    _change(user, photo, payload)
    return _describe(request, photo_id)


@router.delete("photos/{int:photo_id}", response={200: PhotoOut, **fails(404)})
def trash_photo(request: SignedInRequest, photo_id: Id) -> PhotoOut:
    """Move to the trash, from where it can be restored."""
    photo = get_photo(request.user, photo_id)
    trash_photos(chosen(request.user, [photo.pk]))
    return _describe(request, photo_id)


@router.post("photos/{int:photo_id}/restore", response={200: PhotoOut, **fails(404)})
def restore_photo(request: SignedInRequest, photo_id: Id) -> PhotoOut:
    """Take out of the trash."""
    photo = get_photo(request.user, photo_id)
    restore_photos(chosen(request.user, [photo.pk]))
    return _describe(request, photo_id)


@router.get(
    "photos/{int:photo_id}/original",
    response=fails(404),
    url_name="original",
    openapi_extra=sends("The file.", *ENDINGS, "application/octet-stream"),
)
def read_original(request: SignedInRequest, photo_id: Id) -> HttpResponseBase:
    """The file as it was uploaded."""
    return files.original(request, photo_id)


@router.get(
    "photos/{int:photo_id}/thumbnail/{size}",
    response=fails(404),
    url_name="thumbnail",
    openapi_extra=sends("The thumbnail.", "image/webp"),
)
def read_thumbnail(request: SignedInRequest, photo_id: Id, size: Size) -> HttpResponseBase:
    """A thumbnail, WebP. While it is being made the answer is 404 with Retry-After."""
    return files.thumbnail(request, photo_id, size)


class Favourites(PhotoIds):
    is_favourite: bool = True


class TagOnMany(PhotoIds):
    tag: TagName


class Renaming(TagOnMany):
    new: TagName = Field(description="What it is instead.")


@router.post("photos/trash", response={200: Changed, **fails(400)})
def trash_many(request: SignedInRequest, payload: PhotoIds) -> dict[str, int]:
    return {"changed": trash_photos(chosen(request.user, payload.ids))}


@router.post("photos/restore", response={200: Changed, **fails(400)})
def restore_many(request: SignedInRequest, payload: PhotoIds) -> dict[str, int]:
    return {"changed": restore_photos(chosen(request.user, payload.ids))}


@router.post("photos/favourite", response={200: Changed, **fails(400)})
def favourite_many(request: SignedInRequest, payload: Favourites) -> dict[str, int]:
    photos = chosen(request.user, payload.ids)
    return {"changed": set_favourite(photos, payload.is_favourite)}


@router.post("photos/tag", response={200: SaidOut, **fails(400)})
def tag_many(request: SignedInRequest, payload: TagOnMany) -> SaidOut:
    """Say that these photos show the tag. Models do not take it away again."""
    user = request.user
    return SaidOut.of(add_tag(user, chosen(user, payload.ids), payload.tag))


@router.post("photos/untag", response={200: SaidOut, **fails(400)})
def untag_many(request: SignedInRequest, payload: TagOnMany) -> SaidOut:
    """Say that these photos do not show the tag. No model puts it back."""
    user = request.user
    return SaidOut.of(reject_tag(user, chosen(user, payload.ids), payload.tag))


@router.post("photos/confirm-tag", response={200: SaidOut, **fails(400)})
def confirm_tag_on_many(request: SignedInRequest, payload: TagOnMany) -> SaidOut:
    """Say that the tag is right, on those of the photos that carry it."""
    user = request.user
    return SaidOut.of(confirm_tag(user, chosen(user, payload.ids), payload.tag))


@router.post("photos/rename-tag", response={200: SaidOut, **fails(400)})
def rename_tag_on_many(request: SignedInRequest, payload: Renaming) -> SaidOut:
    """Say that the tag is another, on those of the photos that carry it: rejected and added."""
    user = request.user
    return SaidOut.of(rename_tag(user, chosen(user, payload.ids), payload.tag, payload.new))


@router.post("photos/retry", response={200: Changed, **fails(400)})
def retry_many(request: SignedInRequest, payload: PhotoIds) -> dict[str, int]:
    """Look again at photos that were set aside."""
    return {"changed": retry(chosen(request.user, payload.ids))}


@router.get("jobs", response={200: Jobs, **fails()}, tags=["jobs"], url_name="jobs")
def read_jobs(request: SignedInRequest) -> Jobs:
    """How far looking at the photos has come."""
    progress = progress_of(request.user)
    failures = set_aside(request.user)[:MAX_FAILURES]
    return Jobs(
        waiting=progress.waiting,
        looking=progress.looking,
        ready=progress.ready,
        failed=progress.failed,
        unread=count_waiting(request.user) if settings.MAREA_OCR else 0,
        seconds_left=progress.left_s,
        failures=[Failed.of(photo) for photo in failures],
    )


@transaction.atomic
def _change(user: User, photo: Photo, payload: PhotoChange) -> None:
    """All of it or, when a tag is refused, nothing."""
    this = chosen(user, [photo.pk])
    for name in payload.add_tags:
        add_tag(user, this, name)
    for name in payload.remove_tags:
        reject_tag(user, this, name)
    if "is_favourite" in payload.model_fields_set:
        set_favourite(this, payload.is_favourite)
    if "caption" in payload.model_fields_set:
        write_caption(user, photo, payload.caption)


def _describe(request: SignedInRequest, photo_id: int) -> PhotoOut:
    photos = with_words(Photo.objects.all(), request.user, read=True)
    return PhotoOut.of(get_photo(request.user, photo_id, among=photos))
