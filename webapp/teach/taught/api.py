"""Teaching tags over the API: as on the pages, question by question."""

from typing import Annotated, Literal, Self

from ninja import Router, Schema
from ninja.responses import Status
from pydantic import Field

from search.teaching.asking import How, Question
from search.teaching.judging import in_words
from webapp.accounts.http import SignedInRequest
from webapp.library.schemas import TagName
from webapp.library.services.reading import chosen
from webapp.schemas import MAX_ID, Body, Id, PhotoIds, SaidOut, fails
from webapp.teach.corrections.saying import Said
from webapp.teach.taught import teaching, using
from webapp.teach.taught.models import TaughtTag
from webapp.teach.taught.teaching import LEAST_EXAMPLES, Study, get_taught

router = Router(tags=["teaching"])

LEAST_CHANCE = 1e-6  # of being drawn; nobody has a million photos of one thing


class Teaching(PhotoIds):
    tag: TagName


class TaughtOut(Schema):
    id: int
    tag: str
    is_on: bool = Field(description="Whether it tags your library.")
    examples: int = Field(description=f"Photos that you said show it; it takes {LEAST_EXAMPLES}.")

    @classmethod
    def of(cls, taught: TaughtTag, examples: int | None = None) -> Self:
        if examples is None:
            examples = teaching.examples_of(taught).count
        return cls(id=taught.pk, tag=taught.tag.name, is_on=taught.is_on, examples=examples)


class TaughtTags(Schema):
    taught: list[TaughtOut]


class QuestionOut(Schema):
    photo_id: int
    how: Literal["example", "unsure", "likely", "missed", "skipped"] = Field(
        description="Why it is asked; send it back with the answer."
    )
    chance: float = Field(description="With which it was drawn; send it back with the answer.")


class StudyOut(Schema):
    """What is learnt so far; without questions while there are too few examples."""

    precision: float | None = Field(description="Of what it would tag, the estimated part right.")
    recall: float | None = Field(description="Of what shows it, the estimated part it finds.")
    is_rough: bool
    words: str = Field(description='"finds about 9 of 10, about 1 in 12 is wrong"')
    would_tag: list[int] = Field(description="Photos that it would tag, likeliest first.")
    questions: list[QuestionOut] = Field(description="Most uncertain first.")

    @classmethod
    def of(cls, study: Study | None) -> Self:
        if study is None:
            return cls(
                precision=None, recall=None, is_rough=True, words="", would_tag=[], questions=[]
            )
        quality = study.quality
        return cls(
            precision=quality.precision,
            recall=quality.recall,
            is_rough=quality.is_rough,
            words=in_words(quality),
            would_tag=study.ranked.ids[: quality.tagged].tolist(),
            questions=[
                QuestionOut(photo_id=each.photo_id, how=each.how.value, chance=each.chance)
                for each in study.questions
            ],
        )


class Answer(Body):
    photo_id: Annotated[int, Field(ge=1, le=MAX_ID)]
    shows: bool | None = Field(description="Null where you cannot tell; it is not asked again.")
    how: Literal["unsure", "likely", "missed"] = "unsure"
    chance: Annotated[float, Field(ge=LEAST_CHANCE, le=1)] = 1.0


class TaughtChange(Body):
    is_on: bool | None = None
    tag: TagName | None = Field(None, description="A new name.")


@router.get("taught-tags", response={200: TaughtTags, **fails()}, url_name="taught_tags")
def list_taught_tags(request: SignedInRequest) -> TaughtTags:
    """The tags that you teach."""
    mine = teaching.taught_by(request.user)
    return TaughtTags(taught=[TaughtOut.of(each, count) for each, count in mine])


@router.post("taught-tags", response={201: TaughtOut, **fails(400)}, url_name="taught_tags")
def teach_tag(request: SignedInRequest, payload: Teaching) -> Status:
    """Begin to teach a tag, or go on with it, with these photos as further examples."""
    photos = chosen(request.user, payload.ids)
    return Status(201, TaughtOut.of(teaching.begin(request.user, payload.tag, photos)))


@router.get("taught-tags/{int:taught_id}", response={200: StudyOut, **fails(404, 503)})
def study_taught_tag(request: SignedInRequest, taught_id: Id) -> StudyOut:
    """Learn from all that was answered, and see how good it is and what to answer next."""
    return StudyOut.of(teaching.study(get_taught(request.user, taught_id)))


@router.post("taught-tags/{int:taught_id}/answers", response={200: SaidOut, **fails(400, 404)})
def answer_question(request: SignedInRequest, taught_id: Id, payload: Answer) -> SaidOut:
    """Answer one question."""
    taught = get_taught(request.user, taught_id)
    question = Question(payload.photo_id, How(payload.how), payload.chance)
    return SaidOut.of(teaching.answer(taught, question, payload.shows) or Said(photos=0))


@router.patch("taught-tags/{int:taught_id}", response={200: TaughtOut, **fails(400, 404, 409)})
def change_taught_tag(request: SignedInRequest, taught_id: Id, payload: TaughtChange) -> TaughtOut:
    """Rename it, switch it on or off."""
    taught = get_taught(request.user, taught_id)
    if payload.tag is not None:
        taught = using.rename(taught, payload.tag)
    if payload.is_on is not None:
        (using.switch_on if payload.is_on else using.switch_off)(taught)
    return TaughtOut.of(taught)


@router.delete("taught-tags/{int:taught_id}", response={204: None, **fails(404)})
def delete_taught_tag(request: SignedInRequest, taught_id: Id) -> Status:
    """Teach it no longer. Its tags go away; what you said about photos stays."""
    using.delete(get_taught(request.user, taught_id))
    return Status(204, None)
