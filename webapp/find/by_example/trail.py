"""Walking along the photos that are like some examples."""

from django.http import QueryDict

from search.query import MAX_SCANNED
from webapp.accounts.models import User
from webapp.errors import Conflict, NotFound
from webapp.find.by_example.examples import asked_examples
from webapp.find.by_example.finding import like_hits
from webapp.find.query.understanding import understand
from webapp.find.results import before_the_cutoff
from webapp.find.trails import in_list
from webapp.library.models import Photo
from webapp.library.trails import Trail, Why


def like_trail(user: User, photo: Photo, data: QueryDict) -> Trail | None:
    """Through what is like the examples that an address names; None where it names none, or none
    that are there any more."""
    text = data.get("q", "")[:MAX_SCANNED]
    try:
        examples = asked_examples(user, data)
        if examples is None:
            return None
        found = like_hits(user, understand(user, text), examples) or []
    except (NotFound, Conflict):
        return None
    is_all = "more" in data
    hits = before_the_cutoff(found, show_more=is_all)
    hit = next((each for each in hits if each.photo_id == photo.pk), None)
    return Trail(
        back_url=f"{examples.url(text, more=is_all)}#photo-{photo.pk}",
        back_label="More like this",
        neighbours=in_list([each.photo_id for each in hits], photo.pk),
        query=examples.trail(text, more=is_all),
        why=Why(hit.reasons, is_guess=True) if hit else None,
        asked={"q": text, **examples.fields},
        examples=examples.written,
    )
