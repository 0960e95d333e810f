"""What a view behind sign-in is handed."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from webapp.accounts.models import User


class SignedInRequest(HttpRequest):
    """A request of somebody we know: sign-in is required everywhere save where a view opts out."""

    user: User


class HtmxRequest(SignedInRequest):
    """Such a request, which may ask for a part of the page only (`request.htmx`)."""

    htmx: HtmxDetails
