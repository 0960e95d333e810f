"""The index of a process over Milvus: what `test_engine` asks of files, asked of Milvus Lite."""

import json
import tempfile
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from milvus_lite import server_manager_instance

from search.errors import IndexUnreachable
from search.index.milvus import MilvusStore, connect
from tests.factories import a_photo, a_sight, a_user, an_embedding
from tests.webapp.find.index.test_engine import a_seen_photo, nearest
from webapp.find import services
from webapp.find.index import engine
from webapp.find.index.building import build_index, index_store, renew_index, undo_index
from webapp.library.models import Photo
from webapp.library.services.doctor import seen
from webapp.library.services.trash import delete_photos, trash_photos
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="marea-milvus-") as folder:
        yield f"milvus://{folder}/lite.db"
        connect.cache_clear()
        server_manager_instance.release_all()


@pytest.fixture(autouse=True)
def milvus(server: str, settings: Any) -> None:
    """An empty server: tests are rolled back, and it is not."""
    settings.SEARCH_ENGINE = server
    client = connect(server)
    for name in client.list_collections():
        client.drop_collection(name)


def test_photos_are_found_before_and_after_the_server_has_them() -> None:
    owner, other = a_user("owner"), a_user("other")
    first, foreign = a_seen_photo(owner, 1), a_seen_photo(other, 2)
    assert nearest(owner, 1) == first.pk

    assert build_index(active_version()).kind == "milvus"
    second = a_seen_photo(owner, 3)

    assert (nearest(owner, 1), nearest(owner, 2), nearest(owner, 3)) == (first.pk, None, second.pk)
    assert nearest(other, 2) == foreign.pk
    assert engine.open_view(owner).index.delta_rows == 1


def test_a_worker_tells_the_server_what_changed() -> None:
    owner = a_user()
    photos = [a_seen_photo(owner, seed) for seed in (1, 2)]
    base = build_index(active_version()).base
    assert nearest(owner, 1) == photos[0].pk
    trash_photos(Photo.objects.filter(pk=photos[0].pk))
    delete_photos(Photo.objects.filter(pk=photos[0].pk))
    a_sight(photos[1], embedding=an_embedding(4))
    photos.append(a_seen_photo(owner, 3))

    renewed = renew_index(active_version())

    assert (renewed.base, renewed.count) == (base, 2)
    assert [nearest(owner, seed) for seed in (1, 2, 3, 4)] == [
        None, None, photos[2].pk, photos[1].pk,
    ]  # fmt: skip
    assert engine.open_view(owner).index.delta_rows == 0


def test_the_command_fills_it_and_takes_it_back() -> None:
    owner = a_user()
    a_seen_photo(owner, 1)
    build_index(active_version())
    second = a_seen_photo(owner, 2)
    out = StringIO()

    call_command("rebuild_index", "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["vectors"] == 2
    assert engine.open_view(owner).index.delta_rows == 0

    call_command("rebuild_index", "--undo", stdout=StringIO())
    assert nearest(owner, 2) == second.pk
    assert engine.open_view(owner).index.delta_rows == 1
    undo_index(active_version())
    assert engine.open_view(owner).index.delta_rows == 0


def test_versions_never_meet() -> None:
    owner = a_user()
    photo = a_seen_photo(owner, 1)
    build_index(active_version())
    ModelVersion.objects.update(is_active=False)
    ModelVersion.objects.create(name="another", is_active=True)

    assert nearest(owner, 1) is None
    a_sight(photo, embedding=an_embedding(2))
    build_index(active_version())
    assert (nearest(owner, 1), nearest(owner, 2)) == (None, photo.pk)


def test_conditions_hold() -> None:
    owner = a_user()
    photos = [a_photo(owner, file_name=f"{seed}.jpg", with_thumbnails=False) for seed in (1, 2, 3)]
    for seed, photo in enumerate(photos):
        a_sight(photo, embedding=an_embedding(seed), caption="a dog")
    Photo.objects.filter(pk=photos[1].pk).update(is_favourite=True)
    build_index(active_version())

    page = services.find_photos(owner, "dog is:favourite", show_more=True)

    assert [found.photo.pk for found in page.found] == [photos[1].pk]


def test_search_goes_on_by_words_while_the_server_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = a_user()
    photo = a_photo(owner, with_thumbnails=False)
    a_sight(photo, embedding=an_embedding(1), caption="a dog on a beach")
    build_index(active_version())
    engine.close()

    def unreachable(*_: object, **__: object) -> None:
        raise IndexUnreachable("Milvus does not answer (Test).")

    with monkeypatch.context() as patch:
        patch.setattr(MilvusStore, "_read", unreachable)
        page = services.find_photos(owner, "beach", show_more=True)
        assert [found.photo.pk for found in page.found] == [photo.pk]
        assert nearest(owner, 1) is None
        answer = Client().get("/healthz").json()
        assert answer["index"] == "unwell"
        patch.setattr(MilvusStore, "build", unreachable)
        with pytest.raises(CommandError, match="the old index stays"):
            call_command("rebuild_index", stdout=StringIO(), stderr=StringIO())

    assert nearest(owner, 1) == photo.pk


def test_doctor_asks_the_server() -> None:
    a_seen_photo(a_user(), 1)
    build_index(active_version())

    (finding,) = seen.index()

    assert "The index holds 1 photo and is whole" in finding.message
    assert index_store(active_version()).verify().count == 1
