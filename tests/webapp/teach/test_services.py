"""What models see and what people say: a person's word outranks a model's."""

import threading
import time

import numpy as np
import pytest
from django.db import connection, transaction

from search import fulltext
from tests.factories import a_photo, a_sight, a_user, an_embedding
from webapp.errors import Refused
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.library.services import claims
from webapp.teach import services
from webapp.teach.corrections import saying
from webapp.teach.models import Correction, PhotoTag, Sight
from webapp.teach.versions.serving import one_version
from webapp.teach.words import caption_of, with_words

pytestmark = pytest.mark.django_db


def mine(photo: Photo):
    return Photo.objects.visible_to(photo.owner).filter(pk=photo.pk)


def shown_tags(photo: Photo) -> set[str]:
    shown = PhotoTag.objects.visible_to(photo.owner).shown().filter(photo=photo)
    return set(shown.values_list("tag__name", flat=True))


def test_an_embedding_survives_storage_within_half_precision():
    photo, embedding = a_photo(a_user()), an_embedding()
    a_sight(photo, embedding=embedding)

    stored = np.frombuffer(Sight.objects.get(photo=photo).embedding, services.EMBEDDING_DTYPE)

    assert stored.shape == (512,)
    assert float(stored.astype(np.float32) @ embedding) == pytest.approx(1, abs=1e-3)


def test_a_new_sight_replaces_the_models_tags():
    photo = a_photo(a_user())
    a_sight(photo, tags=[("cat", 0.9)])

    a_sight(photo, tags=[("dog", 0.8)])

    assert shown_tags(photo) == {"dog"}
    assert Sight.objects.count() == 1


def test_a_rejected_tag_stays_away_whatever_the_model_says_later():
    photo = a_photo(a_user())
    a_sight(photo, tags=[("cat", 0.9)])
    saying.reject_tag(photo.owner, mine(photo), "cat")

    a_sight(photo, tags=[("cat", 0.99), ("sofa", 0.7)])

    assert shown_tags(photo) == {"sofa"}


def test_a_persons_tag_stays_when_the_model_sees_something_else():
    photo = a_photo(a_user())
    a_sight(photo, tags=[("cat", 0.9)])
    saying.add_tag(photo.owner, mine(photo), "  Miso ")

    a_sight(photo, tags=[])

    assert shown_tags(photo) == {"miso"}


def test_a_person_is_sure_of_a_tag_that_the_model_only_guessed():
    photo = a_photo(a_user())
    a_sight(photo, tags=[("cat", 0.3)])
    saying.add_tag(photo.owner, mine(photo), "cat")

    assert PhotoTag.objects.get(photo=photo).probability == 1


def test_every_word_is_kept_as_an_event():
    photo = a_photo(a_user())
    saying.add_tag(photo.owner, mine(photo), "boat")
    saying.reject_tag(photo.owner, mine(photo), "boat")
    saying.write_caption(photo.owner, photo, "Our  boat")

    events = Correction.objects.order_by("pk").values_list("kind", "value")
    assert list(events) == [("add_tag", "boat"), ("reject_tag", "boat"), ("caption", "Our boat")]


def test_a_persons_caption_is_shown_and_an_empty_one_gives_the_models_back():
    photo = a_photo(a_user())
    a_sight(photo, caption="a boat on the sea")

    saying.write_caption(photo.owner, photo, "Grandma's boat")
    assert shown(photo) == "Grandma's boat"

    saying.write_caption(photo.owner, photo, " ")
    assert shown(photo) == "a boat on the sea"


def shown(photo: Photo) -> str:
    caption = caption_of(with_words(mine(photo), photo.owner).get())
    return caption.text if caption else ""


@pytest.mark.parametrize("name", ["", "   ", "\u0000", "x" * 81])
def test_an_impossible_tag_is_refused_with_a_sentence(name: str):
    photo = a_photo(a_user())

    with pytest.raises(Refused, match="Nothing was tagged"):
        saying.add_tag(photo.owner, mine(photo), name)

    assert not Correction.objects.exists()


def test_a_worker_that_lost_its_lease_stores_nothing():
    photo = a_photo(a_user(), state=Photo.State.WAITING)
    claims.claim_batch("slow", size=1)
    Photo.objects.update(holder="quick")
    seen = a_sight(a_photo(a_user()), tags=[("cat", 0.9)])

    stored = services.store_sights("slow", services.active_version(), [(photo, seen)], {})

    assert stored == 0
    assert not Sight.objects.filter(photo=photo).exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_speak_about_a_photo_at_once_are_both_heard():
    photo = a_photo(a_user())
    wrong: list[Exception] = []

    def speak() -> None:
        try:
            saying.add_tag(photo.owner, mine(photo), "boat")
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=speak)
    with transaction.atomic():
        saying.add_tag(photo.owner, mine(photo), "sea")
        other.start()
        time.sleep(0.3)  # the other comes as far as it can before this is decided
    other.join()

    assert not wrong
    (texts,) = fulltext.read(connection, [photo.pk])
    assert {("sea",), ("boat",)} <= set(texts.tags)


def test_a_version_that_was_replaced_meanwhile_stores_nothing():
    photo = a_photo(a_user(), state=Photo.State.WAITING)
    claims.claim_batch("worker", size=1)
    seen = a_sight(a_photo(a_user()), tags=[("cat", 0.9)])
    version = services.active_version()
    type(version).objects.update(is_active=False)

    assert services.store_sights("worker", version, [(photo, seen)], {}) == 0


def test_a_caption_that_is_likely_wrong_is_neither_shown_nor_searched(settings):
    photo = a_photo(a_user())
    settings.MAREA_CAPTION_CONFIDENCE = 0.6  # the factory's captions have 0.5

    a_sight(photo, caption="a boat on the sea")

    assert shown(photo) == ""
    assert find_photos(photo.owner, '"boat"').found == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has statistics")
def test_tags_of_a_page_of_photos_are_not_looked_for_among_all_of_a_version() -> None:
    with one_version(services.active_version()):
        tags = PhotoTag.objects.shown().filter(photo__in=[1, 2, 3])
        assert "version_id" not in tags.explain()
        assert "photo_id=" in tags.explain()
