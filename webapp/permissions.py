"""What a browser may let our pages use: the microphone, for search by voice, and nothing else."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

POLICY = "microphone=(self), camera=(), geolocation=(), display-capture=(), payment=(), usb=()"


class PermissionsPolicyMiddleware:
    """Sends `Permissions-Policy` with every answer. Frames of other sites get nothing at all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", POLICY)
        return response
