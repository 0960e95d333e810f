"""Past searches and what followed, which ranking learns from and their owner may erase."""

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from webapp.library.models import Photo

if TYPE_CHECKING:
    from webapp.accounts.models import User

MAX_TEXT = 500  # as of `search.query.MAX_TEXT`: what lies beyond was not searched for
MAX_EXAMPLES_TEXT = 500  # 20 numbers and the digest of a picture


class SearchChoice(models.Model):
    """Whether a person's searches are remembered. Without a row they are."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="search_choice",
    )
    keeps_history = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"choice of user {self.user_id}"


class SearchEventQuerySet(models.QuerySet["SearchEvent"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(user=user)

    def first_pages(self) -> Self:
        return self.filter(offset=0)

    def offered(self) -> Self:
        """Those that may be offered again: of people who want that, and not in vain."""
        kept = self.exclude(user__search_choice__keeps_history=False)
        return kept.first_pages().filter(confident__gt=0, examples="")

    def expired(self) -> Self:
        days = settings.MAREA_HISTORY_DAYS
        return self.filter(created_at__lt=timezone.now() - timedelta(days=days))


class SearchEvent(models.Model):
    """A page of results as it was shown.

    `examples` is what results had to be like, as of `wishes.written`; empty where words alone were
    asked. `key` is the same for all ways to write a query: see `memory.key_of`. `shown` has a row
    [photo id, feature, …] for each photo in the order shown, the features in the order of `names`
    (`search.ranker.features`); of a query of conditions alone the ids only.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="search_events"
    )
    text = models.CharField(max_length=MAX_TEXT)  # as typed
    examples = models.CharField(max_length=MAX_EXAMPLES_TEXT, blank=True)
    key = models.CharField(max_length=32)
    version = models.CharField(max_length=80, blank=True)  # of the model that searched
    ranker = models.CharField(max_length=12, blank=True)  # which learned order; empty: none
    offset = models.PositiveIntegerField(default=0)  # place of the first photo shown, from 0
    confident = models.PositiveIntegerField(default=0)  # how many results came before the cut-off
    total = models.PositiveIntegerField(default=0)
    names = models.JSONField(default=list)
    shown = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SearchEventQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("user", "-created_at"), name="search_history"),
            models.Index(fields=("user", "key"), name="search_of_query"),
        )

    def __str__(self) -> str:
        return f"search {self.pk} of user {self.user_id}"


class SearchDeedQuerySet(models.QuerySet["SearchDeed"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(user=user)

    def marks(self) -> Self:
        """Photos that a person said are not what they searched for."""
        return self.filter(kind=SearchDeed.Kind.NOT_THIS)

    def by_words_alone(self) -> Self:
        """After searches whose text says all that was wanted."""
        return self.filter(examples="").exclude(text="")

    def expired(self) -> Self:
        """A person's word stays until they take it back; what they merely did does not."""
        days = settings.MAREA_HISTORY_DAYS
        old = self.filter(created_at__lt=timezone.now() - timedelta(days=days))
        return old.exclude(kind=SearchDeed.Kind.NOT_THIS)


class SearchDeed(models.Model):
    """What a person did with a photo after a search."""

    class Kind(models.TextChoices):
        OPENED = "opened", "opened"
        FAVOURITED = "favourited", "marked as favourite"
        CORRECTED = "corrected", "corrected"
        NOT_THIS = "not_this", "not what was searched for"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="search_deeds"
    )
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="search_deeds")
    text = models.CharField(max_length=MAX_TEXT)
    examples = models.CharField(max_length=MAX_EXAMPLES_TEXT, blank=True)  # as of `SearchEvent`
    key = models.CharField(max_length=32)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SearchDeedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "key", "photo"),
                condition=models.Q(kind="not_this"),
                name="one_mark_a_photo",
            ),
        )
        indexes = (models.Index(fields=("user", "key", "kind"), name="deeds_of_query"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: photo {self.photo_id}"
