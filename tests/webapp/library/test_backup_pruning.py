"""Old backups and the originals that only they needed, let go of."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_photo, a_user
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.services import backup
from webapp.library.services.backup import layout
from webapp.library.services.trash import delete_photos, trash_photos

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def owner() -> User:
    return a_user()


def delete_for_good(photo: Photo) -> None:
    this = Photo.objects.filter(pk=photo.pk)
    trash_photos(this)
    delete_photos(this)


def names(target: Path) -> list[str]:
    return [path.name for path in backup.backups_in(target)]


def test_an_original_goes_with_the_last_backup_that_needs_it(target: Path, owner: User) -> None:
    kept, gone = a_photo(owner), a_photo(owner)
    first = backup.make_backup(target)
    delete_for_good(gone)
    second = backup.make_backup(target)
    assert layout.original_in(target, gone.sha256).exists()

    assert backup.prune_backups(target, keep=2) == backup.Pruned(backups=0, originals=0)
    assert layout.original_in(target, gone.sha256).exists()  # the first backup still needs it
    assert backup.prune_backups(target, keep=1) == backup.Pruned(backups=1, originals=1)

    assert names(target) == [second.name]
    assert not first.exists()
    assert not layout.original_in(target, gone.sha256).exists()
    assert layout.original_in(target, kept.sha256).exists()
    backup.check_backup(second)


def test_a_removal_that_was_interrupted_is_finished_next_time(target: Path, owner: User) -> None:
    a_photo(owner)
    first = backup.make_backup(target)
    second = backup.make_backup(target)
    (first / layout.MANIFEST).unlink()  # as far as it came
    making = target / "making-2026-01-01T000000Z"
    making.mkdir()
    (making / layout.ROWS).touch()

    backup.prune_backups(target, keep=1)

    assert names(target) == [second.name]
    assert not first.exists()
    assert making.exists()  # of a backup that may be at work


def test_the_command_lets_go_of_old_backups(target: Path, owner: User) -> None:
    a_photo(owner)
    for _ in range(3):
        call_command("backup", target, "--keep", "2", "--json")
    assert len(names(target)) == 2


@pytest.mark.parametrize("keep", ["0", "-1"])
def test_the_last_backup_is_never_let_go(target: Path, owner: User, keep: str) -> None:
    with pytest.raises(CommandError, match="at least one"):
        call_command("backup", target, f"--keep={keep}")
    assert not target.exists()
