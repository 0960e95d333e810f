"""The API for programs: /api/v1/, with OpenAPI made from the code."""

from ninja import NinjaAPI

api = NinjaAPI(title="Marea", version="1", urls_namespace="api")
