"""Libraries and their files against dictionaries, under random adding, trashing and deleting."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django import Settings

from tests.factories import a_user, an_image_file
from webapp.library.models import ChangeCounter, DeletedPhoto, Photo, PhotoQuerySet
from webapp.library.services.adding import Outcome, add_photo, hash_file
from webapp.library.services.trash import (
    delete_photos,
    empty_trash,
    restore_photos,
    trash_photos,
)
from webapp.library.storage import originals

KINDS = ("JPEG", "PNG", "WEBP", "BMP")
RUNS = hypothesis_settings(max_examples=45, stateful_step_count=25, deadline=None, derandomize=True)

whose = st.integers(0, 1)
a_file = st.integers(0, len(KINDS) - 1)
files = st.lists(a_file, min_size=1, unique=True)


class Libraries(RuleBasedStateMachine):
    """Two people who have the same few files. Expected of each: hash → whether in the trash."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__()
        self.paths = {hash_file(path): path for path in paths}
        self.hashes = list(self.paths)
        self.owners = [a_user(), a_user()]
        self.expected: list[dict[str, bool]] = [{}, {}]
        self.deleted: set[int] = set()

    def teardown(self) -> None:
        for owner in self.owners:
            owner.delete()
        DeletedPhoto.objects.all().delete()
        shutil.rmtree(originals().location, ignore_errors=True)

    @rule(who=whose, file=a_file)
    def add(self, who: int, file: int) -> None:
        sha256, before = self.hashes[file], ChangeCounter.current()
        outcome = {None: Outcome.NEW, False: Outcome.KNOWN, True: Outcome.RESTORED}[
            self.expected[who].get(sha256)
        ]

        added = add_photo(self.owners[who], self.paths[sha256], file_name="photo")

        assert (added.outcome, added.photo.sha256) == (outcome, sha256)
        self.expected[who][sha256] = False
        if outcome is not Outcome.NEW:  # search has nothing to learn before it is looked at
            self.expect_changed(who, [sha256] * (outcome is Outcome.RESTORED), after=before)

    @rule(who=whose, which=files)
    def trash(self, who: int, which: list[int]) -> None:
        moving, before = self.those(who, which, trashed=False), ChangeCounter.current()

        assert trash_photos(self.rows(who, which)) == len(moving)

        self.expected[who] |= dict.fromkeys(moving, True)
        self.expect_changed(who, moving, after=before)

    @precondition(lambda self: self.some_trashed())
    @rule(who=whose, which=files)
    def restore(self, who: int, which: list[int]) -> None:
        moving, before = self.those(who, which, trashed=True), ChangeCounter.current()

        assert restore_photos(self.rows(who, which)) == len(moving)

        self.expected[who] |= dict.fromkeys(moving, False)
        self.expect_changed(who, moving, after=before)

    @precondition(lambda self: self.some_trashed())
    @rule(who=whose, which=files)
    def delete_for_good(self, who: int, which: list[int]) -> None:
        """What is not in the trash stays."""
        doomed, before = self.those(who, which, trashed=True), ChangeCounter.current()
        ids = self.ids(who, doomed)

        assert delete_photos(self.rows(who, which)) == len(doomed)

        self.expect_deleted(who, doomed, ids, after=before)

    @precondition(lambda self: self.some_trashed())
    @rule(who=whose)
    def empty(self, who: int) -> None:
        doomed = self.those(who, range(len(self.hashes)), trashed=True)
        ids, before = self.ids(who, doomed), ChangeCounter.current()

        assert empty_trash(self.owners[who]) == len(doomed)

        self.expect_deleted(who, doomed, ids, after=before)

    @invariant()
    def every_photo_is_there_once_and_as_expected(self) -> None:
        rows = Photo.objects.values_list("owner_id", "sha256", "trashed_at")
        found = sorted((owner, sha256, trashed is not None) for owner, sha256, trashed in rows)
        assert found == sorted(
            (owner.pk, sha256, trashed)
            for owner, photos in zip(self.owners, self.expected, strict=True)
            for sha256, trashed in photos.items()
        )

    @invariant()
    def what_somebody_has_is_stored_and_nothing_else(self) -> None:
        stored = [path for path in Path(originals().location).rglob("*") if path.is_file()]
        assert sorted(path.name for path in stored) == sorted(
            {*self.expected[0], *self.expected[1]}
        )
        for path in stored:
            assert hash_file(path) == path.name
            assert originals().exists(Photo(sha256=path.name).original_name)

    @invariant()
    def what_was_deleted_is_remembered(self) -> None:
        assert set(DeletedPhoto.objects.values_list("pk", flat=True)) == self.deleted

    def some_trashed(self) -> bool:
        return any(True in photos.values() for photos in self.expected)

    def rows(self, who: int, which: list[int]) -> PhotoQuerySet:
        hashes = [self.hashes[file] for file in which]
        return Photo.objects.visible_to(self.owners[who]).filter(sha256__in=hashes)

    def those(self, who: int, which: Sequence[int], *, trashed: bool) -> list[str]:
        """Hashes of the files among `which` that this person has, in or out of the trash."""
        photos = self.expected[who]
        return [sha for sha in map(self.hashes.__getitem__, which) if photos.get(sha) is trashed]

    def ids(self, who: int, hashes: list[str]) -> set[int]:
        photos = Photo.objects.visible_to(self.owners[who]).filter(sha256__in=hashes)
        return set(photos.values_list("pk", flat=True))

    def expect_changed(self, who: int, hashes: list[str], *, after: int) -> None:
        """These photos have newer numbers than any before, and no others have."""
        changed = Photo.objects.changed_after(after).values_list("owner_id", "sha256")
        assert sorted(changed) == sorted((self.owners[who].pk, sha256) for sha256 in hashes)

    def expect_deleted(self, who: int, hashes: list[str], ids: set[int], *, after: int) -> None:
        for sha256 in hashes:
            del self.expected[who][sha256]
        self.deleted |= ids
        told = DeletedPhoto.objects.changed_after(after).values_list("pk", flat=True)
        assert set(told) == ids
        self.expect_changed(who, [], after=after)


@pytest.mark.django_db(transaction=True)
def test_libraries_and_files_agree_whatever_people_do(tmp_path: Path, settings: Settings) -> None:
    place = {"OPTIONS": {"location": tmp_path / "originals"}}
    settings.STORAGES = settings.STORAGES | {"originals": settings.STORAGES["originals"] | place}
    paths = [
        an_image_file(tmp_path, f"{seed}.{kind}", seed=seed, kind=kind)
        for seed, kind in enumerate(KINDS)
    ]
    run_state_machine_as_test(lambda: Libraries(paths), settings=RUNS)
