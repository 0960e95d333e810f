"""Tags that people teach from examples: learnt, asked about, used, followed, taken away."""

from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from search.teaching.asking import How, Question
from tests.factories import a_photo, a_sight, a_user, an_embedding
from webapp.accounts.models import User
from webapp.errors import Conflict, NotFound
from webapp.find.query import lexicon
from webapp.find.query.completion import completions
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.teach.corrections import saying
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.services import EMBEDDING_DTYPE, active_version
from webapp.teach.switching import activating
from webapp.teach.switching.relooking import Looks
from webapp.teach.taught import tagging, teaching, using
from webapp.teach.taught.models import TaughtLine, TaughtTag

pytestmark = pytest.mark.django_db

MISO = an_embedding(seed=1)


def near(direction: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Another photo of the same thing."""
    vector = direction + amount * an_embedding()
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def a_library(
    user: User, *, of_miso: int = 10, others: int = 20
) -> tuple[list[Photo], list[Photo]]:
    """Photos of Miso, who looks like herself, and of other things."""
    shown = [a_photo(user, with_thumbnails=False) for _ in range(of_miso)]
    rest = [a_photo(user, with_thumbnails=False) for _ in range(others)]
    for photo in shown:
        a_sight(photo, embedding=near(MISO, 0.3))
    for photo in rest:
        a_sight(photo)
    return shown, rest


def photos(*some: Photo):
    return Photo.objects.filter(pk__in=[photo.pk for photo in some])


def tagged(user: User, name: str = "miso") -> set[int]:
    """Photos on which people see the tag."""
    shown = PhotoTag.objects.visible_to(user).shown().filter(tag__name=name)
    return set(shown.values_list("photo", flat=True))


def ids(some: list[Photo]) -> set[int]:
    return {photo.pk for photo in some}


def taught_miso(user: User) -> tuple[TaughtTag, list[Photo], list[Photo]]:
    """A tag with five examples, not switched on."""
    shown, rest = a_library(user)
    return teaching.begin(user, "Miso", photos(*shown[:5])), shown, rest


def test_five_examples_find_the_others(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    study = teaching.study(miso)
    assert study is not None
    likely = set(study.ranked.ids[: study.ranked.tagged].tolist())
    assert likely == ids(shown[5:])
    assert {question.how for question in study.questions} >= {How.UNSURE, How.LIKELY}
    assert not ids(shown[:5]) & {question.photo_id for question in study.questions}


def test_fewer_than_five_examples_teach_nothing_yet(ana: User) -> None:
    shown, _ = a_library(ana, of_miso=4)
    miso = teaching.begin(ana, "miso", photos(*shown))
    assert teaching.study(miso) is None
    with pytest.raises(Conflict, match="at least 5 examples"):
        using.switch_on(miso)
    assert not TaughtTag.objects.at_work().exists()


def test_switched_on_it_tags_the_library_and_new_photos(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    assert tagged(ana) == ids(shown[:5])  # what she said herself
    assert using.switch_on(miso)
    assert tagged(ana) == ids(shown)
    new, other = a_photo(ana), a_photo(ana)
    a_sight(new, embedding=near(MISO, 0.3))
    a_sight(other)
    assert tagged(ana) == ids([*shown, new])


def test_what_a_model_sees_too_stays_when_it_is_switched_off(ana: User) -> None:
    miso, shown, rest = taught_miso(ana)
    using.switch_on(miso)
    by_both, by_the_model = shown[6], rest[0]
    a_sight(by_both, embedding=near(MISO, 0.3), tags=[("miso", 0.9)])
    a_sight(by_the_model, tags=[("miso", 0.9)])
    assert tagged(ana) == ids([*shown, by_the_model])
    using.switch_off(miso)
    assert tagged(ana) == ids([*shown[:5], by_both, by_the_model])


def test_what_a_model_sees_too_stays_when_the_line_no_longer_does(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    a_sight(shown[6], embedding=near(MISO, 0.3), tags=[("miso", 0.9)])
    a_sight(shown[6], embedding=-MISO, tags=[("miso", 0.9)])
    assert shown[6].pk in tagged(ana)


def test_what_is_taught_is_found_and_completed(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    lexicon.forget()
    using.switch_on(miso)
    for text in ("tag:miso", "miso"):
        assert {each.photo.pk for each in find_photos(ana, text).found} == ids(shown)
    assert "tag:miso" in [each.text for each in completions(ana, "mis")]


def test_a_persons_word_outranks_it(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    act = saying.reject_tag(ana, photos(shown[6]), "miso").act
    using.follow(seconds=60, stopping=lambda: False)
    assert tagged(ana) == ids(shown) - {shown[6].pk}
    a_sight(shown[6], embedding=near(MISO, 0.1))
    assert tagged(ana) == ids(shown) - {shown[6].pk}
    saying.undo(ana, act)
    assert tagged(ana) == ids(shown)


def test_switched_off_its_tags_go_and_what_was_said_stays(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    using.switch_off(miso)
    assert tagged(ana) == ids(shown[:5])
    a_sight(shown[8], embedding=near(MISO, 0.1))
    assert tagged(ana) == ids(shown[:5])
    using.switch_on(miso)
    assert tagged(ana) == ids(shown)


def test_deleted_and_restored_it_knows_what_it_knew(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    using.delete(miso)
    assert tagged(ana) == ids(shown[:5])
    with pytest.raises(NotFound):
        teaching.get_taught(ana, miso.pk)
    using.restore(teaching.get_taught(ana, miso.pk, even_deleted=True))
    using.switch_on(teaching.get_taught(ana, miso.pk))
    assert tagged(ana) == ids(shown)


def test_renamed_it_goes_on_under_the_new_name(ana: User) -> None:
    miso, shown, rest = taught_miso(ana)
    saying.reject_tag(ana, photos(rest[0]), "miso")
    using.switch_on(miso)
    using.rename(miso, "Miso the cat")
    assert tagged(ana) == set()
    assert tagged(ana, "miso the cat") == ids(shown)
    other = teaching.begin(ana, "boat", Photo.objects.none())
    with pytest.raises(Conflict, match="already"):
        using.rename(other, "miso the cat")


def test_the_same_name_of_somebody_else_is_theirs(ana: User) -> None:
    bob = a_user("bob")
    mine, _shown, _ = taught_miso(ana)
    his_dog = an_embedding(seed=2)
    his = [a_photo(bob, with_thumbnails=False) for _ in range(8)]
    for photo in his:
        a_sight(photo, embedding=near(his_dog, 0.3))
    others = [a_photo(bob, with_thumbnails=False) for _ in range(20)]
    for photo in others:
        a_sight(photo, embedding=near(MISO, 0.3))
    theirs = teaching.begin(bob, "miso", photos(*his[:5]))
    using.switch_on(mine)
    assert tagged(bob) == ids(his[:5])
    using.switch_on(theirs)
    assert tagged(bob) == ids(his)
    using.delete(mine)
    assert tagged(bob) == ids(his)
    with pytest.raises(NotFound):
        teaching.get_taught(bob, mine.pk)


def test_another_version_learns_from_the_same_examples_before_it_serves(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    before, version = active_version(), ModelVersion.objects.create(name="other")
    turned = np.random.default_rng(5).permutation(512)  # embeddings of another space
    Sight.objects.bulk_create(
        Sight(photo=sight.photo, version=version, embedding=_turned(sight, turned))
        for sight in Sight.objects.filter(version=before)
    )
    activating.make_ready(version, nothing_to_look_at, tell=lambda step, done, total: None)
    assert tagged(ana) == ids(shown)
    serve(version)
    assert tagged(ana) == ids(shown)
    found = find_photos(ana, 'tag:miso "miso"').found  # its tags and its words
    assert {each.photo.pk for each in found} == ids(shown)
    using.switch_off(miso)
    serve(before)
    assert tagged(ana) == ids(shown[:5])


def nothing_to_look_at() -> Looks:
    raise AssertionError("Every photo was looked at.")


def serve(version: ModelVersion) -> None:
    ModelVersion.objects.filter(is_active=True).update(is_active=False)
    ModelVersion.objects.filter(pk=version.pk).update(is_active=True)


def _turned(sight: Sight, order: np.ndarray) -> bytes:
    return np.frombuffer(sight.embedding, EMBEDDING_DTYPE)[order].tobytes()


def test_a_large_library_is_tagged_in_portions_that_may_be_interrupted(
    ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagging, "BATCH", 10)
    miso, shown, rest = taught_miso(ana)
    monkeypatch.setattr(using, "AT_ONCE_S", 0.0)
    assert not using.switch_on(miso)
    assert using.is_behind()
    stops = iter([False, False, True])
    using.follow(seconds=60, stopping=lambda: next(stops))
    assert 0 < TaughtLine.objects.get().told_through < rest[-1].pk
    using.follow(seconds=60, stopping=lambda: False)
    assert tagged(ana) == ids(shown)
    assert not using.is_behind()


def test_what_is_corrected_later_is_learnt_from(ana: User) -> None:
    miso, _shown, rest = taught_miso(ana)
    using.switch_on(miso)
    before = bytes(TaughtLine.objects.get().numbers)
    saying.reject_tag(ana, photos(rest[0]), "miso")
    assert using.is_behind()
    using.follow(seconds=60, stopping=lambda: False)
    assert bytes(TaughtLine.objects.get().numbers) != before


@pytest.mark.parametrize("count", [2, 6])
def test_the_list_costs_as_many_queries_for_many_tags_as_for_few(
    as_ana: Client, ana: User, django_assert_num_queries: Any, count: int
) -> None:
    photo = a_photo(ana)
    for number in range(count):
        teaching.begin(ana, f"tag {number}", photos(photo))
    as_ana.get(reverse("teach:taught_list"))
    with django_assert_num_queries(3):  # session, user, tags
        page = as_ana.get(reverse("teach:taught_list"))
    assert [examples for _, examples in page.context["taught"]] == [1] * count


def test_a_damaged_embedding_costs_its_own_photo_only(ana: User) -> None:
    miso, shown, _ = taught_miso(ana)
    shown += [a_photo(ana, with_thumbnails=False)]
    a_sight(shown[-1], embedding=near(MISO, 0.3))
    teaching.give_examples(miso, photos(shown[5]))
    Sight.objects.filter(photo__in=[shown[0].pk, shown[8].pk]).update(embedding=b"odd")
    using.switch_on(miso)
    assert tagged(ana) == ids(shown) - {shown[8].pk}


# --- The pages ---


HTMX = {"HX-Request": "true"}


def test_questions_are_answered_one_by_one_and_taken_back(as_ana: Client, ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    page = as_ana.get(reverse("teach:taught", args=[miso.pk]))
    for _number in range(4):
        photo = page.context["question"]
        says = "yes" if photo.pk in ids(shown) else "no"
        fields = {"questions": page.context["questions"], "says": says}
        page = as_ana.post(reverse("teach:taught_answer", args=[miso.pk]), fields, headers=HTMX)
        assert PhotoTag.objects.get(photo=photo, tag=miso.tag, version=None).source == (
            "person" if says == "yes" else "rejected"
        )
    assert page.context["quality_words"]
    fields = {"questions": page.context["before"]}
    undo = reverse("teach:taught_undo", args=[miso.pk, page.context["act"]])
    page = as_ana.post(undo, fields, headers=HTMX)
    assert page.context["question"] == photo
    assert not PhotoTag.objects.filter(photo=photo, tag=miso.tag, version=None).exists()


def test_a_deleted_tag_is_brought_back_from_its_page(as_ana: Client, ana: User) -> None:
    miso, _, _ = taught_miso(ana)
    page = reverse("teach:taught", args=[miso.pk])
    told = as_ana.post(reverse("teach:taught_delete", args=[miso.pk]), follow=True)
    assert "“miso” is taught no longer" in told.content.decode()
    assert as_ana.post(reverse("teach:taught_switch", args=[miso.pk])).status_code == 404
    restored = as_ana.post(reverse("teach:taught_restore", args=[miso.pk]), follow=True)
    assert restored.redirect_chain == [(page, 302)]
    assert "Does this show miso?" in restored.content.decode()


def test_without_scripts_questions_are_answered_page_by_page(as_ana: Client, ana: User) -> None:
    miso, _, _ = taught_miso(ana)
    page = as_ana.get(reverse("teach:taught", args=[miso.pk]))
    fields = {"questions": page.context["questions"], "says": "no"}
    after = as_ana.post(reverse("teach:taught_answer", args=[miso.pk]), fields, follow=True)
    assert after.context["question"] != page.context["question"]


def test_programs_teach_a_tag_as_people_do(as_ana: Client, ana: User) -> None:
    shown, _ = a_library(ana)
    address, sent = "/api/v1/taught-tags", "application/json"
    begun = {"tag": "Miso", "ids": sorted(ids(shown[:5]))}
    one = f"{address}/{as_ana.post(address, begun, sent).json()['id']}"
    study = as_ana.get(one).json()
    assert set(study["would_tag"]) == ids(shown[5:])
    for question in study["questions"]:
        answer = {**question, "shows": question["photo_id"] in ids(shown)}
        assert as_ana.post(f"{one}/answers", answer, sent).json()["changed"] == 1
    assert as_ana.patch(one, {"is_on": True, "tag": "miso the cat"}, sent).json()["is_on"]
    assert tagged(ana, "miso the cat") == ids(shown)
    assert as_ana.delete(one).status_code == 204
    assert as_ana.get(one).status_code == 404
    assert as_ana.get(address).json() == {"taught": []}


def test_who_cannot_tell_is_not_asked_again(ana: User) -> None:
    miso, _shown, _rest = taught_miso(ana)
    study = teaching.study(miso)
    assert study is not None
    teaching.answer(miso, study.questions[0], None)
    again = teaching.study(miso)
    assert again is not None
    assert study.questions[0].photo_id not in again.ranked.ids


def test_a_forged_or_foreign_question_changes_nothing(as_ana: Client, ana: User) -> None:
    miso, _shown, _rest = taught_miso(ana)
    before = tagged(ana)
    for questions in ("", "x", "[[1,2,3]]"):
        fields = {"questions": questions, "says": "yes"}
        answer = as_ana.post(reverse("teach:taught_answer", args=[miso.pk]), fields, headers=HTMX)
        assert answer.status_code == 400
    theirs = a_photo(a_user("bob"))
    assert teaching.answer(miso, Question(theirs.pk, How.LIKELY, 0.5), True) is None
    assert tagged(ana) == before
