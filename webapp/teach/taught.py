"""Teaching a tag: its examples, what is learnt from them, what to ask next, using it."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from search.teaching.asking import How, Question, Ranked, next_questions, reach
from search.teaching.judging import Answers, Quality, judge
from search.teaching.line import PRESUMED, Lesson, Line, learn
from vision.sight import EMBED_DIM
from webapp.accounts.models import User
from webapp.errors import Conflict, NotFound
from webapp.find import engine
from webapp.find.documents import versions_told
from webapp.library.models import Photo, PhotoQuerySet
from webapp.library.services.reading import chosen
from webapp.teach import saying, tagging
from webapp.teach.models import ModelVersion, PhotoTag, PhotoTagQuerySet, Sight
from webapp.teach.saying import Said
from webapp.teach.services import (
    EMBEDDING_DTYPE,
    active_version,
    embedding_from,
    tags_named,
    tidy_tag,
)
from webapp.teach.taught_models import TaughtAnswer, TaughtLine, TaughtTag
from workers import queue

LEAST_EXAMPLES = 5
AT_ONCE_S = 1.5  # so long a request tags a library itself; a worker does the rest
MOST_LEARNT = 1_000  # examples of each kind, chosen at random, from which more teach little
BATCH = 1_000  # ids in one statement
POOL = 2_000  # unanswered photos that FAISS finds along the line, among which is asked
NEAR = 50  # and near each of a few examples
NEAR_TO = 10

Source = PhotoTag.Source


@dataclass(frozen=True)
class Examples:
    """What its owner said about the tag: photo ids, ascending, and whether each shows it."""

    ids: NDArray[np.int64]
    shows: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many show it."""
        return int(self.shows.sum())

    def only(self, which: NDArray[np.bool_]) -> "Examples":
        return Examples(self.ids[which], self.shows[which])

    def thinned(self, chance: np.random.Generator) -> "Examples":
        """At most `MOST_LEARNT` of each kind."""
        kept = np.zeros(len(self.ids), bool)
        for kind in (True, False):
            kept[chance.permutation(np.flatnonzero(self.shows == kind))[:MOST_LEARNT]] = True
        return self.only(kept)


@dataclass(frozen=True)
class Study:
    """What is learnt so far: a line, what it would tag, how good that is, and what to ask next."""

    line: Line
    ranked: Ranked
    quality: Quality
    questions: list[Question]


def get_taught(user: User, taught_id: int, *, even_deleted: bool = False) -> TaughtTag:
    """Raises `NotFound`, for somebody else's as for none."""
    mine = TaughtTag.objects.visible_to(user).select_related("tag", "owner")
    taught = (mine if even_deleted else mine.kept()).filter(pk=taught_id).first()
    if taught is None:
        raise NotFound("You teach no such tag.")
    return taught


def taught_by(user: User) -> list[tuple[TaughtTag, int]]:
    """What `user` teaches, by name, and how many examples of each."""
    mine = TaughtTag.objects.visible_to(user).kept().with_examples()
    found = mine.select_related("tag", "owner").order_by("tag__name")
    return [(taught, taught.examples) for taught in found]  # type: ignore[attr-defined]


@transaction.atomic
def begin(user: User, name: str, photos: PhotoQuerySet) -> TaughtTag:
    """Begin to teach `name`, or go on with it, with `photos` as examples."""
    tag = tags_named([tidy_tag(name)])[tidy_tag(name)]
    taught, _ = TaughtTag.objects.get_or_create(owner=user, tag=tag)
    if taught.deleted_at:
        taught.deleted_at = None
        taught.save(update_fields=["deleted_at"])
    give_examples(taught, photos)
    return taught


@transaction.atomic
def give_examples(taught: TaughtTag, photos: PhotoQuerySet) -> Said:
    """The owner says that these photos show it."""
    said = saying.add_tag(taught.owner, photos, taught.tag.name)
    TaughtAnswer.objects.bulk_create(
        [TaughtAnswer(taught=taught, photo=photo, how=How.EXAMPLE) for photo in photos],
        ignore_conflicts=True,
    )
    return said


@transaction.atomic
def answer(taught: TaughtTag, question: Question, says: bool | None) -> Said | None:
    """The owner's answer; None when they cannot tell. A photo that is gone is passed over."""
    photos = chosen(taught.owner, [question.photo_id])
    if not photos.exists():
        return None
    how = How.SKIPPED if says is None else question.how
    TaughtAnswer.objects.update_or_create(
        taught=taught,
        photo_id=question.photo_id,
        defaults={"how": how, "chance": question.chance},
    )
    if says is None:
        return None
    say = saying.add_tag if says else saying.reject_tag
    return say(taught.owner, photos, taught.tag.name)


@transaction.atomic
def take_back(taught: TaughtTag, act: UUID) -> None:
    """Take an answer back; the photo may be asked about again."""
    saying.undo(taught.owner, act)
    photos = Photo.objects.filter(corrections__act=act)
    TaughtAnswer.objects.filter(taught=taught, photo__in=photos).delete()


def examples_of(taught: TaughtTag) -> Examples:
    said = list(_said(taught).order_by("photo").values_list("photo", "source"))
    return Examples(
        np.array([photo_id for photo_id, _ in said], np.int64),
        np.array([source == Source.PERSON for _, source in said], bool),
    )


def _said(taught: TaughtTag) -> PhotoTagQuerySet:
    rows = PhotoTag.objects.filter(tag=taught.tag_id, version=None)
    return rows.filter(photo__owner=taught.owner_id).in_library()


def study(taught: TaughtTag) -> Study | None:
    """Learn from the examples and see what is next; None while there are too few."""
    view = engine.open_view(taught.owner)
    examples = examples_of(taught)
    found = _learn(taught, view.version, examples, view.photos.ids())
    if found is None:
        return None
    line, answers = found
    ranked = _ranked(taught, view, line, examples)
    return Study(
        line=line,
        ranked=ranked,
        quality=judge(answers, ranked),
        questions=next_questions(ranked, np.random.default_rng(len(answers.shows))),
    )


def _learn(
    taught: TaughtTag, version: ModelVersion, examples: Examples, library: NDArray[np.int64]
) -> tuple[Line, Answers] | None:
    """The line that is learnt from the examples that this version has seen, and these as they judge
    it."""
    others = np.setdiff1d(library, examples.ids)
    chance = np.random.default_rng(taught.pk)
    presumed = chance.choice(others, min(PRESUMED, len(others)), replace=False)
    examples = examples.thinned(chance)
    vectors = _vectors(version, [*examples.ids.tolist(), *presumed.tolist()])
    known = examples.only(np.array([pk in vectors for pk in examples.ids.tolist()], bool))
    if known.count < LEAST_EXAMPLES:
        return None
    lesson = Lesson(
        answered=np.stack([vectors[pk] for pk in known.ids.tolist()]),
        shows=known.shows,
        presumed=_stacked([vectors[pk] for pk in presumed.tolist() if pk in vectors]),
    )
    how, chances = _asked(taught, known)
    learnt = learn(lesson)
    learnt = learnt.lowered(reach(learnt.held_out, known.shows, how))
    return learnt.line, Answers(known.shows, how, chances, learnt.held_out)


def _vectors(version: ModelVersion, photo_ids: list[int]) -> dict[int, NDArray[np.float32]]:
    """By photo id, without those that only a damaged database holds."""
    rows = Sight.objects.filter(version=version, photo__in=photo_ids)
    whole = EMBED_DIM * EMBEDDING_DTYPE.itemsize
    return {
        photo_id: embedding_from(stored)
        for photo_id, stored in rows.values_list("photo_id", "embedding")
        if len(stored) == whole
    }


def _stacked(vectors: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack(vectors) if vectors else np.zeros((0, EMBED_DIM), np.float32)


def _ranked(taught: TaughtTag, view: engine.View, line: Line, examples: Examples) -> Ranked:
    """Unanswered photos: those farthest along the line, and those near the examples, which are
    hard to tell from them."""
    answered = set(examples.ids.tolist())
    answered |= set(taught.answers.values_list("photo", flat=True))
    left = view.photos.removing(sorted(answered))
    _, near_to = view.index.vectors(examples.ids[examples.shows][:NEAR_TO])
    _, along = view.index.search(line.weights / np.linalg.norm(line.weights), POOL, left)
    _, near = view.index.search(near_to, NEAR, left)
    ids = np.union1d(along, near)
    ids, vectors = view.index.vectors(ids[ids >= 0])
    log_odds = line.log_odds(vectors.astype(np.float32))
    order = np.argsort(-log_odds, kind="stable")
    return Ranked(ids[order], log_odds[order])


def _asked(taught: TaughtTag, known: Examples) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """How each came to be answered, and with which chance. What was said outside of teaching, such
    as on a photo's page, counts as an example."""
    rows = taught.answers.values_list("photo_id", "how", "chance")
    asked = {photo_id: (how, chance) for photo_id, how, chance in rows}
    found = [asked.get(photo_id, (How.EXAMPLE.value, 1.0)) for photo_id in known.ids.tolist()]
    return np.array([how for how, _ in found]), np.array([chance for _, chance in found])


# --- Using it ---


def switch_on(taught: TaughtTag) -> bool:
    """Let it tag the owner's library, and new photos as they are looked at. Returns whether the
    whole library is tagged already; else a worker goes on.

    Raises `Conflict` while there are too few examples, and when it was deleted meanwhile.
    """
    if not TaughtTag.objects.kept().filter(pk=taught.pk).update(is_on=True):
        raise Conflict(
            f"“{taught.tag.name}” was deleted. Bring it back, then switch it on.", code="deleted"
        )
    taught.is_on = True
    line = refit(taught, active_version())
    if line is None:
        TaughtTag.objects.filter(pk=taught.pk).update(is_on=False)
        raise Conflict(
            f"“{taught.tag.name}” needs at least {LEAST_EXAMPLES} examples that Marea has looked "
            "at. Mark some more, then switch it on.",
            code="too_few_examples",
        )
    done = tagging.tell_library(line, seconds=AT_ONCE_S, stopping=lambda: False)
    if is_behind():
        queue.taught_tags_wait()
    return done


def switch_off(taught: TaughtTag) -> bool:
    """Its tags go away; what its owner said stays. Returns whether all are gone already; else a
    worker goes on."""
    return _switch_off(taught, seconds=AT_ONCE_S)


def _switch_off(taught: TaughtTag, *, seconds: float) -> bool:
    TaughtTag.objects.filter(pk=taught.pk).update(is_on=False)
    taught.is_on = False
    done = tagging.take_off(taught, seconds=seconds)
    if not done:
        queue.taught_tags_wait()
    return done


def delete(taught: TaughtTag) -> None:
    """Teach it no longer. What its owner said stays, and it can be restored."""
    switch_off(taught)
    TaughtTag.objects.filter(pk=taught.pk).update(deleted_at=timezone.now())


def restore(taught: TaughtTag) -> None:
    """Bring it back, switched off."""
    TaughtTag.objects.filter(pk=taught.pk).update(deleted_at=None)


def rename(taught: TaughtTag, name: str) -> TaughtTag:
    """Call it `name`: on all its examples, and wherever it tags. Raises `Conflict` for a name that
    the owner teaches already."""
    new = tags_named([tidy_tag(name)])[tidy_tag(name)]
    if other := TaughtTag.objects.filter(owner=taught.owner, tag=new).first():
        raise Conflict(_taken(new.name, is_deleted=other.deleted_at is not None), code="name_taken")
    is_on, examples = taught.is_on, examples_of(taught)
    _switch_off(taught, seconds=math.inf)  # all of them, as nobody finds the old name later
    with transaction.atomic():
        for photos in _batches(taught.owner, examples.only(examples.shows)):
            saying.rename_tag(taught.owner, photos, taught.tag.name, new.name)
        for photos in _batches(taught.owner, examples.only(~examples.shows)):
            saying.reject_tag(taught.owner, photos, new.name)
        TaughtTag.objects.filter(pk=taught.pk).update(tag=new)
    taught.tag = new
    if is_on and examples.count >= LEAST_EXAMPLES:
        switch_on(taught)
    return taught


def _taken(name: str, *, is_deleted: bool) -> str:
    if is_deleted:
        return (
            f"You taught “{name}” before and deleted it. Begin to teach it again, and it knows "
            "what it knew. Nothing was changed."
        )
    return f"You teach “{name}” already. Nothing was changed."


def _batches(owner: User, examples: Examples) -> Iterator[PhotoQuerySet]:
    ids = examples.ids.tolist()
    for at in range(0, len(ids), BATCH):
        yield chosen(owner, ids[at : at + BATCH])


def is_behind() -> bool:
    """Whether a tag at work has not told all of its library, or has examples it has not learnt
    from, by any version that is kept ready; or one that was switched off is still on photos."""
    at_work = _at_work()
    behind = any(not _is_told(each, version) for version in versions_told() for each in at_work)
    return behind or _left_over().exists()


def follow(*, seconds: float, stopping: Callable[[], bool]) -> None:
    """Bring all tags at work up to date, for about `seconds`; those of the active version first."""
    until = time.monotonic() + seconds
    for taught in _left_over():
        tagging.take_off(taught, seconds=until - time.monotonic(), stopping=stopping)
    at_work, active = _at_work(), active_version()
    for version in sorted(versions_told(), key=lambda each: each != active):
        for taught in at_work:
            left = until - time.monotonic()
            if left <= 0 or stopping():
                return
            if not _is_told(taught, version) and (line := refit(taught, version)):
                tagging.tell_library(line, seconds=left, stopping=stopping)


def prepare(version: ModelVersion) -> None:
    """Let tags at work learn and tell in the embeddings of a version that is made ready."""
    TaughtLine.objects.filter(version=version).update(told_through=0, is_told=False)
    for taught in _at_work():
        if line := refit(taught, version):
            tagging.tell_library(line, seconds=math.inf, stopping=lambda: False)


def _left_over() -> QuerySet[TaughtTag]:
    """Tags that are not at work and still on photos: whoever switched them off was interrupted."""
    there = PhotoTag.objects.filter(
        tag=OuterRef("tag"), source=Source.TAUGHT, photo__owner=OuterRef("owner")
    )
    off = TaughtTag.objects.exclude(pk__in=TaughtTag.objects.at_work().values("pk"))
    return off.filter(Exists(there)).select_related("tag", "owner").order_by("pk")


def _at_work() -> list[TaughtTag]:
    return list(TaughtTag.objects.at_work().select_related("tag", "owner").order_by("pk"))


def _is_told(taught: TaughtTag, version: ModelVersion) -> bool:
    line = taught.lines.filter(version=version, is_told=True).first()
    return line is not None and line.learnt_from == _print_of(taught)


def refit(taught: TaughtTag, version: ModelVersion) -> TaughtLine | None:
    """Its line in the embeddings of `version`, learnt anew if the examples changed; None while that
    version has seen too few of them."""
    learnt_from = _print_of(taught)
    line = TaughtLine.objects.filter(taught=taught, version=version).first()
    if line and line.learnt_from == learnt_from:
        line.taught, line.version = taught, version
        return line
    ready = Photo.objects.visible_to(taught.owner).searchable()
    library = np.array(ready.order_by("pk").values_list("pk", flat=True), np.int64)
    found = _learn(taught, version, examples_of(taught), library)
    if found is None:
        return None
    values = {"numbers": found[0].as_bytes(), "learnt_from": learnt_from}
    line, _ = TaughtLine.objects.update_or_create(
        taught=taught,
        version=version,
        defaults=values | {"told_through": 0, "is_told": False},
    )
    return line


def _print_of(taught: TaughtTag) -> str:
    """Another one whenever something else was said: every word is a row with a new number."""
    said = _said(taught).aggregate(count=Count("pk"), newest=Max("pk"))
    return f"{taught.tag_id}: {said['count']}, {said['newest']}"
