"""What people say stays as events; what is shown follows from them, also after taking back."""

from typing import Any

import hypothesis.strategies as st
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.django import TestCase

from search import fulltext
from tests.factories import a_photo, a_sight, a_user, an_embedding
from vision.sight import Sight
from webapp.accounts.models import User
from webapp.errors import Conflict, NotFound, Refused
from webapp.library.models import Photo, PhotoQuerySet
from webapp.teach.corrections import saying
from webapp.teach.corrections.heard import said_about
from webapp.teach.models import Correction, ModelVersion, PhotoTag
from webapp.teach.switching import readying
from webapp.teach.words import caption_of, with_words

pytestmark = pytest.mark.django_db


def photos_of(user: User) -> PhotoQuerySet:
    return Photo.objects.visible_to(user)


def shown(user: User) -> Any:
    """Everything that a person's words decide: tags with their source, captions, full text."""
    photos = list(with_words(photos_of(user), user).order_by("pk"))
    tags = PhotoTag.objects.visible_to(user).values_list("photo", "tag__name", "source")
    texts = fulltext.read(connection, [photo.pk for photo in photos])
    return (
        sorted(tags),
        [caption_of(photo) for photo in photos],
        sorted((text.photo_id, text.tags, text.caption) for text in texts),
    )


def two_photos(user: User) -> PhotoQuerySet:
    a_sight(a_photo(user), caption="a dog", tags=[("dog", 0.9), ("beach", 0.8)])
    a_sight(a_photo(user), tags=[("dog", 0.7)])
    return photos_of(user)


def test_a_confirmed_tag_is_a_persons_and_only_where_it_stood(ana: User) -> None:
    photos = two_photos(ana)
    assert saying.confirm_tag(ana, photos, "beach").photos == 1
    assert PhotoTag.objects.get(tag__name="beach").source == "person"
    a_sight(photos.order_by("pk")[0], tags=[])
    assert PhotoTag.objects.shown().filter(tag__name="beach").count() == 1


def test_renaming_rejects_the_one_and_adds_the_other_in_one_act(ana: User) -> None:
    photos = two_photos(ana)
    said = saying.rename_tag(ana, photos, "beach", "Lido")
    events = Correction.objects.filter(act=said.act).values_list("kind", "value")
    assert list(events) == [("reject_tag", "beach"), ("add_tag", "lido")]
    assert set(PhotoTag.objects.shown().values_list("tag__name", flat=True)) == {"dog", "lido"}
    with pytest.raises(Refused, match="called “lido” already"):
        saying.rename_tag(ana, photos, "lido", " LIDO ")


def test_an_act_is_taken_back_once_and_by_who_said_it(ana: User) -> None:
    photos, bob = two_photos(ana), a_user("bob")
    act = saying.add_tag(ana, photos, "rex").act
    with pytest.raises(NotFound):
        saying.undo(bob, act)
    saying.undo(ana, act)
    with pytest.raises(Conflict, match="already"):
        saying.undo(ana, act)
    assert not PhotoTag.objects.filter(tag__name="rex").exists()


def test_taking_back_an_earlier_word_leaves_the_later_one(ana: User) -> None:
    photos = two_photos(ana)
    first = saying.add_tag(ana, photos, "boat").act
    saying.reject_tag(ana, photos, "boat")
    saying.undo(ana, first)
    assert set(PhotoTag.objects.filter(tag__name="boat").values_list("source", flat=True)) == {
        "rejected"
    }


def test_two_people_say_the_same_of_their_own_photos_only(ana: User) -> None:
    bob = a_user("bob")
    two_photos(ana), two_photos(bob)
    theirs = shown(bob)
    act = saying.reject_tag(ana, photos_of(ana), "dog").act
    assert shown(bob) == theirs
    saying.reject_tag(bob, photos_of(bob), "dog")
    theirs = shown(bob)
    saying.undo(ana, act)
    assert shown(bob) == theirs


def test_the_history_tells_who_said_what_and_what_was_taken_back(ana: User) -> None:
    photos = two_photos(ana)
    photo = photos.order_by("pk")[0]
    saying.write_caption(ana, photo, "Rex")
    saying.undo(ana, saying.rename_tag(ana, photos, "dog", "rex").act)
    lines = [(line.who, line.what, line.photos, line.can_undo) for line in said_about(ana, photo)]
    assert lines == [
        ("ana", "took back: renamed the tag “dog” to “rex”", 2, False),
        ("ana", "renamed the tag “dog” to “rex”", 2, False),
        ("ana", "wrote the caption “Rex”", 1, True),
    ]
    assert said_about(a_user("bob"), photo) == []


@pytest.mark.parametrize("say", ["add_tag", "reject_tag", "confirm_tag"])
def test_an_act_costs_as_many_queries_for_many_photos_as_for_few(ana: User, say: str) -> None:
    for _ in range(8):
        a_sight(a_photo(ana), tags=[("dog", 0.9)])
    few = photos_of(ana).filter(pk__in=photos_of(ana).values("pk")[:2])

    def queries(photos: PhotoQuerySet, name: str) -> tuple[int, int]:
        with CaptureQueriesContext(
            connection,
        ) as saying_it:
            act = getattr(saying, say)(ana, photos, name).act
        with CaptureQueriesContext(connection) as undoing:
            if Correction.objects.filter(act=act).exists():
                saying.undo(ana, act)
        return len(saying_it), len(undoing)

    queries(few, "dog")  # what is made on first use is there from here on
    assert queries(few, "dog") == queries(photos_of(ana), "dog")


def test_a_persons_word_survives_every_version_and_every_switch(ana: User) -> None:
    photos = two_photos(ana)
    first, _ = photos.order_by("pk")
    saying.reject_tag(ana, photos, "dog")
    saying.confirm_tag(ana, photos, "beach")
    saying.add_tag(ana, photos, "rex")
    saying.write_caption(ana, first, "Rex at the sea")
    said = shown(ana)[0]
    for number in range(3):
        version = ModelVersion.objects.create(name=f"version {number}", is_ready=True)
        for photo in photos:
            retrained = Sight(
                embedding=an_embedding(),
                tags=[("dog", 0.99), ("beach", 0.2), ("cat", 0.9), ("rex", 0.6)],
                caption="a dog on a beach",
                caption_confidence=1.0,
                other_captions={},
            )
            readying.begin(version)
            readying.store_seen(version, [(photo, retrained)])
        ModelVersion.objects.update(is_active=False)
        ModelVersion.objects.filter(pk=version.pk).update(is_active=True)
        assert [row for row in shown(ana)[0] if row[2] != "model"] == said
        tags = PhotoTag.objects.shown().filter(photo=first).values_list("tag__name", flat=True)
        assert set(tags) == {"beach", "rex", "cat"}
        caption = caption_of(with_words(photos, ana).get(pk=first.pk))
        assert caption is not None
        assert caption.text == "Rex at the sea"


WORDS = st.tuples(
    st.sampled_from(["add", "reject", "confirm", "rename", "caption", "undo"]),
    st.sampled_from(["dog", "rex", "beach"]),
    st.sampled_from([0, 1, 2]),  # both photos, or one of them
)


class Undoing(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(WORDS, max_size=6))
    def test_taking_back_shows_exactly_what_was_shown_before(self, words: list[Any]) -> None:
        user = a_user()
        photos = two_photos(user)
        ids = list(photos.order_by("pk").values_list("pk", flat=True))
        before, acts = [shown(user)], []
        for say, name, which in words:
            chosen = photos.filter(pk__in=[ids, ids[:1], ids[1:]][which])
            events = list(Correction.objects.order_by("pk").values())
            if say == "undo":
                if acts:
                    saying.undo(user, acts.pop())
                    before.pop()
            elif (said := speak(user, chosen, say, name)).photos:
                acts.append(said.act)
                before.append(shown(user))
            assert shown(user) == before[-1]
            assert list(Correction.objects.order_by("pk").values())[: len(events)] == events
        while acts:
            saying.undo(user, acts.pop())
            before.pop()
            assert shown(user) == before[-1]


def speak(user: User, photos: PhotoQuerySet, say: str, name: str) -> saying.Said:
    if say == "caption":
        return saying.write_caption(user, photos.order_by("pk")[0], f"our {name}")
    if say == "rename":
        return saying.rename_tag(user, photos, name, f"big {name}")
    return {"add": saying.add_tag, "reject": saying.reject_tag, "confirm": saying.confirm_tag}[say](
        user, photos, name
    )
