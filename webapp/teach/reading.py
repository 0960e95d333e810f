"""Which photo is to be read next, and what was read in it. `workers.reading` reads."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from vision.reading import ENGINE
from webapp.accounts.models import User
from webapp.find.index.documents import index_photos
from webapp.library.models import Photo
from webapp.teach.text_models import MAX_ATTEMPTS, Lines, ReadText, ReadTextQuerySet, to_read
from webapp.texts import one_line

LEASE = timedelta(minutes=2)
MAX_TEXT = 10_000  # characters kept of one photo's text
GIVEN_UP = "Reading the text in this photo ended the worker each time. It was left out."


def next_photos(count: int, *, after: int = 0) -> list[Photo]:
    """Up to `count` photos in which nothing was read yet, newest first, which people miss most.

    `after` leaves out photos that have not changed since that change number.
    """
    waiting = to_read(Photo.objects.filter(change_number__gt=after))
    held = ReadText.objects.of_this_engine().filter(lease_until__gte=timezone.now())
    return list(waiting.exclude(pk__in=held.unfinished().values("photo")).order_by("-pk")[:count])


@transaction.atomic
def begin(photo: Photo) -> bool:
    """Take this photo for reading, which counts as an attempt before it is one: whatever reading
    does to the worker, it does so at most `MAX_ATTEMPTS` times. False if it is not to be read."""
    now = timezone.now()
    row, _ = ReadText.objects.get_or_create(photo=photo, engine=ENGINE)
    if row.read_at or (row.lease_until and row.lease_until > now):
        return False
    if row.attempts >= MAX_ATTEMPTS:
        set_aside(photo, GIVEN_UP)
        return False
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    taken = ReadText.objects.unfinished().filter(free, pk=row.pk)
    return bool(taken.update(lease_until=now + LEASE, attempts=F("attempts") + 1))


@transaction.atomic
def store_text(photo: Photo, lines: Lines) -> None:
    """What was read; it can be searched at once. Reading twice stores it once."""
    Photo.objects.filter(pk=photo.pk).lock()
    tidy = ((one_line(text), sure, box) for text, sure, box in lines)
    kept = [line for line in tidy if line[0]]
    text = "\n".join(text for text, _, _ in kept)[:MAX_TEXT]
    row = _row(photo)
    had = ReadText.objects.filter(photo=photo).exclude(text="").exists()
    row.update(
        text=text,
        lines=kept,
        confidence=sum(sure for _, sure, _ in kept) / len(kept) if kept else 0.0,
        **_finished(""),
    )
    ReadText.objects.filter(photo=photo).exclude(engine=ENGINE).delete()
    if text or had:
        index_photos([photo.pk])


def set_aside(photo: Photo, reason: str) -> None:
    """This photo cannot be read; everything else about it stays as it is."""
    _row(photo).update(**_finished(reason))


def give_back(photo: Photo) -> None:
    """Not read for now, and no fault of the photo's."""
    _row(photo).unfinished().update(lease_until=None, attempts=F("attempts") - 1)


def some_wait(*, after: int = 0) -> bool:
    """Whether any photo waits to be read, as far as it changed since change number `after`, or a
    worker died over one."""
    if ReadText.objects.of_this_engine().abandoned().exists():
        return True
    return to_read(Photo.objects.filter(change_number__gt=after)).exists()


def count_waiting(user: User | None = None) -> int:
    """Photos, of one user or of all, that wait to be read."""
    photos = Photo.objects.visible_to(user) if user else Photo.objects.all()
    return to_read(photos).count()


def _row(photo: Photo) -> ReadTextQuerySet:
    return ReadText.objects.of_this_engine().filter(photo=photo.pk)


def _finished(failed: str) -> dict[str, object]:
    return {"failed": failed[:300], "read_at": timezone.now(), "lease_until": None}
