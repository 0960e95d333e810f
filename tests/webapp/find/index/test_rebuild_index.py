"""Index and full text can be thrown away and made again."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from search import fulltext
from tests.factories import a_photo, a_sight, a_user, an_embedding
from webapp.find.index import engine
from webapp.library.models import Photo
from webapp.library.services.trash import delete_photos, trash_photos
from webapp.teach.corrections.saying import write_caption

pytestmark = pytest.mark.django_db


def words_find(word: str) -> list[int]:
    return fulltext.search(connection, Photo.objects.all(), [word], 10)


def test_everything_is_made_anew() -> None:
    owner = a_user()
    photo = a_photo(owner, file_name="Rome.jpg", with_thumbnails=False)
    a_sight(photo, embedding=an_embedding(1), caption="a dog", tags=[("beach", 0.9)])
    write_caption(owner, photo, "Our cat")
    fulltext.delete(connection, [photo.pk])
    fulltext.upsert(connection, [fulltext.Document(photo.pk + 1, ["ghost"], "", "")])
    out = StringIO()

    call_command("rebuild_index", "--json", stdout=out, stderr=StringIO())

    figures = json.loads(out.getvalue())
    assert (figures["vectors"], figures["kind"]) == (1, "flat")
    assert [words_find(word) for word in ("rome", "cat", "beach", "dog")] == [
        [photo.pk], [photo.pk], [photo.pk], [],
    ]  # fmt: skip
    assert [texts.photo_id for texts in fulltext.read(connection, [photo.pk, photo.pk + 1])] == [
        photo.pk
    ]
    assert engine.open_view(owner).index.delta_rows == 0


def test_a_deleted_photo_leaves_no_words() -> None:
    photo = a_photo(a_user())
    a_sight(photo, caption="a dog")
    mine = Photo.objects.filter(pk=photo.pk)
    trash_photos(mine)

    delete_photos(mine)

    assert fulltext.read(connection, [photo.pk]) == []
