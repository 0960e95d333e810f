"""A database from before versions had tags and texts of their own keeps all that it has."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from search import fulltext
from tests.factories import a_photo, a_sight, a_user
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag
from webapp.teach.models import PhotoTag
from webapp.teach.versions.active import active_version

BEFORE = [("teach", "0005_training_runs")]


def migrate_to(targets: list[tuple[str, str]]) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)


@pytest.fixture
def newest(transactional_db: None) -> Iterator[list[tuple[str, str]]]:
    """The newest migrations, at which the database is left as well."""
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield leaves
    migrate_to(leaves)


def test_tags_and_texts_of_before_become_the_active_versions(
    newest: list[tuple[str, str]],
) -> None:
    ana = a_user("ana")
    photo = a_photo(ana)
    a_sight(photo, tags=[("cat", 0.9)], caption="a cat")
    add_tag(ana, Photo.objects.filter(pk=photo.pk), "miso")
    migrate_to(BEFORE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM teach_phototag")
        assert cursor.fetchone() == (2,)

    migrate_to(newest)

    kept = PhotoTag.objects.order_by("tag__name").values_list("tag__name", "version", "source")
    version = active_version()
    assert list(kept) == [("cat", version.pk, "model"), ("miso", None, "person")]
    assert (version.texts, version.is_ready) == (fulltext.TABLE, True)
    for query in ('"cat"', "tag:cat", "tag:miso"):
        assert [each.photo.pk for each in find_photos(ana, query).found] == [photo.pk]
