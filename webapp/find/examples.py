"""Words to search with, taken from the user's own photos."""

from django.db.models import Count

from webapp.accounts.models import User
from webapp.teach.models import PhotoTag


def example_queries(user: User, *, limit: int = 8) -> list[str]:
    """The tags on most of the user's photos, most frequent first."""
    tags = PhotoTag.objects.visible_to(user).shown().filter(photo__trashed_at=None)
    counted = tags.values("tag__name").annotate(photos=Count("pk")).order_by("-photos", "tag__name")
    return list(counted.values_list("tag__name", flat=True)[:limit])
