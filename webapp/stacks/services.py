"""Stacks as their owner sees and sorts them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Prefetch

from webapp.accounts.models import User
from webapp.errors import NotFound, Refused
from webapp.library.models import Photo
from webapp.library.services.trash import trash_photos
from webapp.stacks import quality
from webapp.stacks.models import Stack, StackChoice, StackMember, StackWord
from webapp.teach.words import with_words

PAGE = 12  # groups on a page of the review


@dataclass(frozen=True)
class Choice:
    """A photo of a group, whether it is proposed to be kept, and what speaks for it."""

    photo: Photo
    is_best: bool
    reasons: Sequence[str]


@dataclass(frozen=True)
class Group:
    """A stack to sort, its best photo first."""

    stack_id: int
    is_burst: bool
    choices: Sequence[Choice]


def groups(user: User, *, before: int | None = None) -> tuple[list[Group], int | None]:
    """A page of stacks to review, newest first, and where the next one begins. The number of
    queries does not depend on how many there are."""
    stacks = Stack.objects.visible_to(user).to_review().order_by("-pk")
    if before is not None:
        stacks = stacks.filter(pk__lt=before)
    found = list(stacks.prefetch_related(_members(user))[: PAGE + 1])
    return [_group(stack) for stack in found[:PAGE]], found[PAGE - 1].pk if found[PAGE:] else None


def how_many_groups(user: User) -> int:
    return Stack.objects.visible_to(user).to_review().count()


def stack_of(user: User, photo: Photo) -> list[Photo]:
    """All photos in the stack of the user's `photo` that are in the library, the best one first;
    nothing where it stands alone."""
    shown = Photo.objects.visible_to(user).in_library()
    together = shown.filter(stacked__stack__members__photo=photo.pk).order_by("stacked__place")
    found = list(with_words(together, user))
    return found if len(found) > 1 else []


def keep_only(user: User, stack_id: int, kept: Iterable[int]) -> list[int]:
    """Move the photos of a stack that are not `kept` to the trash. Returns their ids.

    Raises `Refused` when none of the stack would be left.
    """
    members = _photo_ids(user, stack_id)
    kept = set(kept) & set(members)
    if not kept:
        raise Refused(
            "At least one photo of a group has to be kept. Nothing was moved to the trash."
        )
    rest = [pk for pk in members if pk not in kept]
    with transaction.atomic():
        trash_photos(Photo.objects.visible_to(user).filter(pk__in=rest))
        _say(kept, StackWord.Says.KEEP)
    return rest


def keep_all(user: User, stack_id: int) -> None:
    """The stack stays one tile; its photos are not offered as duplicates again."""
    _say(_photo_ids(user, stack_id), StackWord.Says.KEEP)


@transaction.atomic
def take_apart(user: User, stack_id: int) -> None:
    """Its photos are not the same: each is a tile of its own from now on."""
    _say(_photo_ids(user, stack_id), StackWord.Says.APART)
    Stack.objects.visible_to(user).filter(pk=stack_id).delete()


def unfolds(user: User) -> bool:
    return StackChoice.objects.filter(user=user, unfolds=True).exists()


def choose_folding(user: User, *, unfold: bool) -> None:
    StackChoice.objects.update_or_create(user=user, defaults={"unfolds": unfold})


def _members(user: User) -> Prefetch:
    shown = with_words(Photo.objects.visible_to(user).in_library(), user).select_related("print")
    members = StackMember.objects.filter(photo__trashed_at=None).order_by("place")
    return Prefetch("members", members.prefetch_related(Prefetch("photo", shown)))


def _group(stack: Stack) -> Group:
    """By what is known now: a favourite may have been chosen since the stack was made."""
    members = list(stack.members.all())
    photos = quality.best_first([member.photo for member in members])
    said = quality.reasons(photos)
    choices = [Choice(photo, photo is photos[0], said[photo.pk]) for photo in photos]
    kinds = {member.kind for member in members}
    return Group(stack.pk, StackMember.Kind.BURST in kinds, choices)


def _photo_ids(user: User, stack_id: int) -> list[int]:
    """The photos of the user's stack that are in the library. Raises `NotFound`."""
    members = StackMember.objects.visible_to(user).filter(stack=stack_id, photo__trashed_at=None)
    if found := list(members.order_by("place").values_list("photo", flat=True)):
        return found
    raise NotFound("There is no such group of photos.")


def _say(photo_ids: Iterable[int], says: StackWord.Says) -> None:
    StackWord.objects.bulk_create(
        [StackWord(photo_id=pk, says=says) for pk in photo_ids],
        update_conflicts=True,
        unique_fields=["photo"],
        update_fields=["says"],
    )
