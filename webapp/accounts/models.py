"""People and the tokens of their programs."""

import hashlib
import secrets
from typing import Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class Language(models.TextChoices):
    """What captions can be written in; each name is in its own language."""

    ENGLISH = "en", "English"
    GERMAN = "de", "Deutsch"


class User(AbstractUser):
    """A person with a library of their own. The first one is the administrator."""

    # Empty until the first sign-in, which takes the browser's; then as the person chooses.
    caption_language = models.CharField(max_length=2, choices=Language, blank=True)

    @property
    def language(self) -> Language:
        """What this person reads captions in."""
        return Language(self.caption_language or Language.ENGLISH)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(user=user)

    def for_secret(self, secret: str) -> "ApiToken | None":
        """The token that a program showed, or None."""
        found = self.select_related("user").filter(digest=_digest(secret), user__is_active=True)
        return found.first()


class ApiToken(models.Model):
    """A bearer token; only its SHA-256 is kept (it has 256 random bits, so no salt is needed)."""

    class Scope(models.TextChoices):
        READ = "read", "See and search photos"
        WRITE = "write", "Also upload and change photos"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=5, choices=Scope.choices, default=Scope.READ)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    start = models.CharField(max_length=12, editable=False)  # shown so that people know which it is
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"

    @classmethod
    def issue(cls, user: User, *, name: str, scope: str) -> tuple["ApiToken", str]:
        """A new token and its secret, which can be shown this once and never again."""
        secret = f"marea_{secrets.token_urlsafe(32)}"
        token = cls.objects.create(
            user=user, name=name, scope=scope, digest=_digest(secret), start=secret[:12]
        )
        return token, secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
