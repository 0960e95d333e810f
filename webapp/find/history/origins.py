"""Which search a request came from, as the browser says."""

from urllib.parse import urlsplit

from django.http import QueryDict
from django.urls import Resolver404, resolve

from webapp.accounts.http import SignedInRequest
from webapp.errors import UserError
from webapp.find.by_example.examples import wish_of
from webapp.find.history.wishes import Wish

PAGES = {"find:page", "library:photo"}  # results, and a photo opened from them


NOTHING = Wish("")


def searched_for(request: SignedInRequest) -> Wish:
    """What was searched for on the page on which somebody acted; nothing if that shows no results
    of a search."""
    page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    if page.netloc != request.get_host():
        return NOTHING
    try:
        is_search = resolve(page.path).view_name in PAGES
        return wish_of(request.user, QueryDict(page.query)) if is_search else NOTHING
    except (Resolver404, UserError):  # no page of ours, or its picture is no longer kept
        return NOTHING
