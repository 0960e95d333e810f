"""What was shown, as ranking learns from it."""

from datetime import datetime

from django.utils import timezone

from search.ranker.features import Facts, describe
from search.words import content_words
from webapp.find.results import SearchPage
from webapp.library.file_names import SCREENSHOT_NAMES
from webapp.library.models import Photo

MAX_SHOWN = 60  # rows kept of one page of results; the pages of the product have as many
DECIMALS = 3
# What a photo's facts are made of, in the order in which `facts_of` takes them.
COLUMNS = (
    *("media_type", "camera", "file_name", "shown_at", "is_favourite", "own_caption"),
    *("width", "height", "latitude"),
)


def shown_rows(page: SearchPage) -> tuple[list[str], list[list[float]]]:
    """Names of features, and for each photo of the page [id, feature, …] in the order shown.

    Of a query of conditions alone there is nothing to learn: ids only.
    """
    found = page.found[:MAX_SHOWN]
    ids = [each.photo.pk for each in found]
    hits = {hit.photo_id: hit for hit in page.hits}
    if not hits:
        return [], [[photo_id] for photo_id in ids]
    facts = {each.photo.pk: facts_of(each.photo) for each in found}
    names, values = describe(
        [hits[photo_id] for photo_id in ids],
        facts,
        best=max(hit.score for hit in page.hits),
        words=len(content_words(page.query.text)),
    )
    return names, [
        [photo_id, *(round(float(value), DECIMALS) for value in row)]
        for photo_id, row in zip(ids, values, strict=True)
    ]


def facts_of(photo: Photo, now: datetime | None = None) -> Facts:
    """From the photo's own row alone."""
    age = (now or timezone.now()) - photo.shown_at
    return Facts(
        age_days=age.total_seconds() / 86_400,
        is_favourite=photo.is_favourite,
        is_screenshot=_is_screenshot(photo),
        is_captioned=bool(photo.own_caption),
        is_portrait=photo.height > photo.width,
        has_place=photo.latitude is not None,
        megapixels=photo.width * photo.height / 1e6,
    )


def _is_screenshot(photo: Photo) -> bool:
    """By its name, or as a picture without a loss that no camera took."""
    is_named = photo.file_name.lower().startswith(SCREENSHOT_NAMES)
    return is_named or (photo.media_type == "image/png" and not photo.camera)
