"""Search and likeness over the API."""

from typing import Annotated, Literal

from django.http import HttpResponse, JsonResponse
from ninja import Query, Router, Schema
from pydantic import Field

from webapp.accounts.http import SignedInRequest
from webapp.accounts.models import User
from webapp.find import heat_maps
from webapp.find.history.events import note_search
from webapp.find.results import Found
from webapp.find.services import find_photos, similar_photos
from webapp.library.cursors import read_signed, signed
from webapp.library.models import Photo
from webapp.library.schemas import PhotoOut
from webapp.library.services.reading import get_photo
from webapp.schemas import Id, Text, fails, sends
from webapp.teach.words import with_words

MAX_QUERY_LENGTH = 1000
_SALT = "marea.search"
TRY_AGAIN_S = 1
HEAT_MAP_CACHED_S = 3600  # another version of the model may draw another one

router = Router(tags=["search"])


class Search(Schema):
    q: Text = Field(
        max_length=MAX_QUERY_LENGTH,
        description="As in the search box: `dogs last summer without people tag:beach`.",
    )
    more: bool = Field(False, description="Also what is probably not meant.")
    cursor: Text = Field("", max_length=500, description="`next_cursor` of the page before.")
    limit: int = Field(60, ge=1, le=200)


class HeatMapQuery(Schema):
    q: Text = Field(
        min_length=1,
        max_length=MAX_QUERY_LENGTH,
        description="What to look for on the photo; conditions such as `tag:dog` are left out.",
    )


class Result(Schema):
    photo: PhotoOut
    score: float = Field(description="How probably the photo was meant, 0 to 1.")
    reasons: list[str] = Field(description="Why it is here, in a few words each.")


class Results(Schema):
    query: str = Field(description="The query as it was understood.")
    notes: list[str] = Field(description="Sentences about what was not understood.")
    results: list[Result]
    confident: int = Field(description="So many of `total` are probably meant; they come first.")
    total: int
    next_cursor: str | None


class SimilarPhotos(Schema):
    photos: list[PhotoOut]


@router.get("search", response={200: Results, **fails(400, 503)}, url_name="search")
def search(request: SignedInRequest, wanted: Query[Search]) -> Results:
    """The photos that are meant, best first. Remembered like searches on the page: while its owner
    keeps a search history."""
    offset = _offset(wanted.cursor)
    page = find_photos(
        request.user, wanted.q, limit=wanted.limit, offset=offset, show_more=wanted.more
    )
    note_search(request.user, wanted.q, page, offset=offset)
    more_from = page.next_offset
    return Results(
        query=str(page.query),
        notes=list(page.query.notes),
        results=_results(request.user, page.found),
        confident=page.confident,
        total=page.total,
        next_cursor=None if more_from is None else signed(more_from, salt=_SALT),
    )


@router.get("photos/{int:photo_id}/similar", response={200: SimilarPhotos, **fails(404)})
def similar(
    request: SignedInRequest, photo_id: Id, limit: Annotated[int, Query(ge=1, le=100)] = 12
) -> SimilarPhotos:
    """The photos that look most like this one."""
    alike = similar_photos(request.user, get_photo(request.user, photo_id), limit)
    described = _described(request.user, alike)
    return SimilarPhotos(photos=[described[one.pk] for one in alike if one.pk in described])


class Drawing(Schema):
    """A worker draws it; ask again after the seconds of the `Retry-After` header."""

    is_ready: Literal[False] = False


@router.get(
    "photos/{int:photo_id}/heatmap",
    response={202: Drawing, **fails(404, 409, 503)},
    url_name="heatmap",
    openapi_extra=sends("The map, to lay over the photo, stretched to its size.", "image/png"),
)
def heat_map(request: SignedInRequest, photo_id: Id, asked: Query[HeatMapQuery]) -> HttpResponse:
    """Why it matched: where on the photo the words are seen. 202 until a worker has drawn it."""
    png = heat_maps.heat_map(request.user, photo_id, asked.q)
    if png is None:
        waiting = JsonResponse({"is_ready": False}, status=202)
        waiting["Retry-After"] = str(TRY_AGAIN_S)
        waiting["Cache-Control"] = "no-store"
        return waiting
    response = HttpResponse(png, content_type="image/png")
    response["Cache-Control"] = f"private, max-age={HEAT_MAP_CACHED_S}"
    return response


def _offset(cursor: str) -> int:
    return int(read_signed(cursor, salt=_SALT)) if cursor else 0


def _results(user: User, found: list[Found]) -> list[Result]:
    described = _described(user, [one.photo for one in found])
    return [
        Result(photo=described[one.photo.pk], score=one.score, reasons=list(one.reasons))
        for one in found
        if one.photo.pk in described
    ]


def _described(user: User, photos: list[Photo]) -> dict[int, PhotoOut]:
    """By id. The photos are read once more, with all that the API shows."""
    chosen = Photo.objects.visible_to(user).filter(pk__in=[photo.pk for photo in photos])
    return {photo.pk: PhotoOut.of(photo) for photo in with_words(chosen, user, read=True)}
