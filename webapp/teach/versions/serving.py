"""Which model version answers one request.

A switch is one row that changes at any moment. Whoever reads several things of a version (index,
words, tags, captions, query encoder) inside `one_version` reads them all of the same one: the first
to ask decides, until the outermost block ends. Every request of the web is such a block
(`OneVersionMiddleware`), and so is every search.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.http.response import HttpResponseBase

if TYPE_CHECKING:
    from webapp.teach.models import ModelVersion


@dataclass
class Serving:
    """The version of the present block; None until somebody asks."""

    version: "ModelVersion | None" = None


_serving: ContextVar[Serving | None] = ContextVar("serving", default=None)


def serving() -> Serving | None:
    """The present block; None outside of any, where each read asks the database anew."""
    return _serving.get()


@contextmanager
def one_version(version: "ModelVersion | None" = None) -> Iterator[None]:
    """Inside, everything is of one version: of `version`, or else of the one that is active when
    somebody first asks. Within another block, that block's version stays unless one is named."""
    if version is None and _serving.get() is not None:
        yield
        return
    before = _serving.set(Serving(version))
    try:
        yield
    finally:
        _serving.reset(before)


class OneVersionMiddleware:
    """A request is answered by one model version, whatever is switched meanwhile."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with one_version():
            return self.get_response(request)
