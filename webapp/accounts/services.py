"""What can be done with accounts. Views, the API and commands come through here."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation.trans_real import parse_accept_lang_header

from webapp.accounts.models import ApiToken, Language, User
from webapp.errors import Conflict
from webapp.library.models import ChangeCounter

# 64 symbols without look-alikes would need a table; token_urlsafe(12) has 96 random bits.
GENERATED_PASSWORD_BYTES = 12
TOKEN_USE_NOTED_EVERY = timedelta(minutes=1)

_somebody_exists = False  # remembered once true: users are deactivated, never deleted


def somebody_exists() -> bool:
    """Whether the first visit has happened. Costs a query only until it has."""
    global _somebody_exists
    _somebody_exists = _somebody_exists or User.objects.exists()
    return _somebody_exists


@transaction.atomic
def create_administrator(user: User) -> User:
    """Save the first user as the administrator. Raises `Conflict` when there is one already."""
    ChangeCounter.next()  # its row lock makes two first visits wait for each other
    if User.objects.exists():
        raise Conflict(
            "Somebody has just set up this Marea. Sign in, or ask them for an account.",
            code="already_set_up",
        )
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def generate_password() -> str:
    return secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)


def reset_password(user: User) -> str:
    """Give `user` a new password and return it; their sessions end with the old one."""
    password = generate_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


@transaction.atomic
def deactivate(user: User) -> None:
    """Keep `user` out, tokens included; their photos stay. Raises `Conflict` for the last admin."""
    ChangeCounter.next()  # two administrators must not deactivate each other at the same moment
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise Conflict(
            f"{user.username} is the only administrator left. Nothing was changed.",
            code="last_administrator",
        )
    User.objects.filter(pk=user.pk).update(is_active=False)


def reactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=True)


def note_language(user: User, preferred: str) -> None:
    """Let the first sign-in choose: `preferred` is the browser's Accept-Language."""
    if user.caption_language:
        return
    known = {language.value for language in Language}
    wanted = (tag.split("-")[0] for tag, _ in parse_accept_lang_header(preferred.lower()))
    user.caption_language = next((each for each in wanted if each in known), Language.ENGLISH.value)
    user.save(update_fields=["caption_language"])


def note_use(token: ApiToken) -> None:
    """Remember when the token was last used, to the minute, so that reads seldom write."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - TOKEN_USE_NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - TOKEN_USE_NOTED_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
