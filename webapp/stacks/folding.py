"""Stacks as people meet them in grids: one tile, with the number of photos behind it."""

from collections.abc import Sequence

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Subquery

from search.rank import Hit
from webapp.accounts.models import User
from webapp.among import among
from webapp.library.models import PhotoQuerySet
from webapp.stacks.models import StackMember


def folded(photos: PhotoQuerySet, user: User) -> PhotoQuerySet:
    """Of each stack the best one that is among `photos`, all of them `user`'s; no query more.

    The hidden ones are asked for by their number, since few photos are in a stack.
    """
    # Asked for each member, which few photos are; `photo__in` would list the whole library.
    is_among = Exists(photos.order_by().filter(pk=OuterRef("photo")))
    better = StackMember.objects.filter(
        is_among, stack=OuterRef("stack"), place__lt=OuterRef("place")
    )
    hidden = StackMember.objects.folded_for(user).filter(Exists(better))
    return photos.exclude(pk__in=hidden.values("photo"))


def counted(photos: PhotoQuerySet, user: User) -> PhotoQuerySet:
    """Photos with `stack_size`, how many the stack of each has in the library, for tiles."""
    inside = StackMember.objects.folded_for(user).filter(
        stack__members__photo=OuterRef("pk"), photo__trashed_at=None
    )
    size = inside.order_by().values(of=F("stack")).annotate(n=Count("pk")).values("n")
    return photos.annotate(stack_size=Subquery(size, output_field=IntegerField()))


def fold_hits(user: User, hits: Sequence[Hit]) -> list[Hit]:
    """Of each stack the hit that comes first; one query."""
    photos = among([hit.photo_id for hit in hits])
    members = StackMember.objects.folded_for(user).filter(photo__in=photos)
    stacks = dict(members.values_list("photo", "stack"))
    seen: set[int] = set()
    kept = []
    for hit in hits:
        stack = stacks.get(hit.photo_id)
        if stack is None or stack not in seen:
            kept.append(hit)
        if stack is not None:
            seen.add(stack)
    return kept
