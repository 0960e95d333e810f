"""Which search a request came from, as the browser says."""

from urllib.parse import parse_qs, urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve

PAGES = {"find:page", "library:photo"}  # results, and a photo opened from them


def searched_for(request: HttpRequest) -> str:
    """The query of the page on which somebody acted; empty if that shows no results of a search."""
    page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    if page.netloc != request.get_host():
        return ""
    try:
        name = resolve(page.path).view_name
    except Resolver404:
        return ""
    return parse_qs(page.query).get("q", [""])[0] if name in PAGES else ""
