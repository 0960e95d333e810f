"""Teaching a tag: its examples, what is learnt from them, what to ask next, using it."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from search.teaching.asking import How, Question, Ranked, next_questions, reach
from search.teaching.judging import Answers, Quality, judge
from search.teaching.line import PRESUMED, Lesson, Line, learn
from vision.sight import EMBED_DIM
from webapp.accounts.models import User
from webapp.errors import NotFound
from webapp.find.index import engine
from webapp.library.models import Photo, PhotoQuerySet
from webapp.library.services.reading import chosen
from webapp.teach.corrections import saying
from webapp.teach.corrections.saying import Said
from webapp.teach.models import ModelVersion, PhotoTag, PhotoTagQuerySet, Sight
from webapp.teach.seen_tags import tags_named
from webapp.teach.services import EMBEDDING_DTYPE, embedding_from, tidy_tag
from webapp.teach.taught.models import TaughtAnswer, TaughtTag

LEAST_EXAMPLES = 5
MOST_LEARNT = 1_000  # examples of each kind, chosen at random, from which more teach little
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
    said = list(said_of(taught).order_by("photo").values_list("photo", "source"))
    return Examples(
        np.array([photo_id for photo_id, _ in said], np.int64),
        np.array([source == Source.PERSON for _, source in said], bool),
    )


def said_of(taught: TaughtTag) -> PhotoTagQuerySet:
    rows = PhotoTag.objects.filter(tag=taught.tag_id, version=None)
    return rows.filter(photo__owner=taught.owner_id).in_library()


def study(taught: TaughtTag) -> Study | None:
    """Learn from the examples and see what is next; None while there are too few."""
    view = engine.open_view(taught.owner)
    examples = examples_of(taught)
    found = learn_line(taught, view.version, examples, view.photos.ids())
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


def learn_line(
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
