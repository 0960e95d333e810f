"""The pages about other problems: photos in, what was found, a training, and who may do it."""

import io
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tests.factories import a_user, an_administrator
from tests.hostile.zip_writer import a_zip
from tests.hostile.zips import honest
from tests.patterns import write_classes
from tests.webapp.clients import browser_of
from tests.webapp.library.uploader import Uploader
from webapp.accounts.models import User
from webapp.library.models import Upload
from webapp.library.services.adding import used_bytes
from webapp.teach import jobs
from webapp.teach.datasets import asking, tidying
from webapp.teach.datasets.models import DataSet, datasets_folder
from webapp.teach.datasets.registering import snapshot_of
from webapp.teach.job_models import ModelJob
from webapp.teach.runs import lifecycle
from webapp.teach.runs.models import TrainingRun
from webapp.teach.versions.folders import models_folder

pytestmark = pytest.mark.django_db

LIST = "/admin/teach/dataset/"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path / "data"
    models_folder().mkdir(parents=True)


@pytest.fixture
def administrator() -> Client:
    return browser_of(an_administrator())


def a_form(content: bytes | None = None, **fields: str) -> dict[str, Any]:
    content = a_zip(honest([b"<b>cat", b"dog"], photos=6)) if content is None else content
    return {"title": "<i>Pets", "file": SimpleUploadedFile("pets.zip", content), **fields}


def sent(client: Client, **form: Any) -> DataSet:
    answer = client.post(f"{LIST}upload/", a_form(**form))
    data_set = DataSet.objects.latest("pk")
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{data_set.pk}/")
    return data_set


def read(data_set: DataSet) -> DataSet:
    call_command("models", "read", str(data_set.pk), stdout=io.StringIO())
    data_set.refresh_from_db()
    return data_set


def test_a_zip_is_read_by_a_worker_and_shown_with_what_was_found(administrator: Client) -> None:
    data_set = sent(administrator)
    page = administrator.get(f"{LIST}{data_set.pk}/").content.decode()
    assert "The photos are being read" in page
    assert 'hx-trigger="every 2s"' in page
    assert (data_set.job.kind, data_set.job.name) == ("read", str(data_set.pk))
    read(data_set)
    assert not data_set.incoming.exists()
    page = administrator.get(f"{LIST}{data_set.pk}/").content.decode()
    assert "12 photos of 2 classes in pets.zip" in page
    assert "&lt;b&gt;cat" in page
    assert "<b>cat" not in page
    assert "have fewer than 20 photos" in page
    thumbnail = re.search(rf'src="({LIST}{data_set.pk}/thumbnail/[0-9a-f]+/)"', page)
    assert thumbnail
    answer = administrator.get(thumbnail[1])
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer["X-Content-Type-Options"] == "nosniff"


def by_script(user: User | None = None, **options: Any) -> Uploader:
    return Uploader(user or an_administrator(), to=f"{LIST}pieces/", **options)


def test_a_zip_in_pieces_goes_on_where_it_was(settings: Any) -> None:
    settings.MAREA_USER_QUOTA_MB = 1
    boss, content = an_administrator(), a_zip(honest([b"cat", b"dog"], photos=6))
    script = by_script(boss)
    url = script.announce(len(content), name="pets.zip", title="Pets")["Location"]
    script.send(url, content[:1000], offset=0)
    assert used_bytes(boss) == 0  # it is no photo of the library
    again = by_script(boss)  # the page was loaded anew
    assert again.offset(url) == 1000
    answer = again.send(url, content[1000:], offset=1000)
    data_set = DataSet.objects.get()
    assert answer.json() == {"url": f"{LIST}{data_set.pk}/"}
    assert (data_set.title, data_set.source, data_set.user) == ("Pets", "pets.zip", boss)
    assert read(data_set).photos == 12
    assert not Upload.objects.exists()


def test_a_zip_in_pieces_is_refused_before_it_is_sent(settings: Any) -> None:
    settings.MAREA_MAX_DATASET_MB = 1
    script = by_script()
    answer = script.announce(10, title=" ")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "title")
    answer = script.announce(2 << 20, title="Pets")
    assert answer.status_code == 413
    assert "it may have at most 1 MB" in answer.json()["error"]["message"]
    assert not Upload.objects.exists()


def test_a_zip_is_no_photo_and_a_photo_no_zip() -> None:
    boss = an_administrator()
    script, photos = by_script(boss), Uploader(boss)
    key = script.announce(10, title="Pets")["Location"].split("/")[-2]
    assert photos.client.head(f"/upload/files/{key}").status_code == 404
    key = photos.announce(10)["Location"].split("/")[-1]
    assert script.client.head(f"{LIST}pieces/{key}/").status_code == 404


def test_only_superusers_send_pieces_and_no_other_site_does() -> None:
    boss = an_administrator()
    url = by_script(boss).announce(10, title="Pets")["Location"]
    for user, status in ((a_user(), 302), (a_user(is_staff=True), 403)):
        stranger = by_script(user)
        assert stranger.announce(10, title="Pets").status_code == status
        assert stranger.client.head(url).status_code == status
    assert by_script(an_administrator()).client.head(url).status_code == 404
    assert by_script(boss, enforce_csrf_checks=True).announce(10, title="Pets").status_code == 403


def test_a_zip_beyond_the_limit_is_refused_before_it_is_kept(
    administrator: Client, settings: Any
) -> None:
    settings.MAREA_MAX_DATASET_MB = 1
    answer = administrator.post(f"{LIST}upload/", a_form(b"PK" * (1 << 20)))
    assert answer.status_code == 413
    assert "it may have at most 1 MB" in answer.content.decode()
    assert not DataSet.objects.exists()


def test_why_photos_were_not_taken_stands_on_both_pages(administrator: Client) -> None:
    data_set = sent(administrator, content=b"Rar!" * 100)
    with pytest.raises(CommandError, match="not a ZIP"):
        read(data_set)
    for page in (LIST, f"{LIST}{data_set.pk}/"):
        content = administrator.get(page).content.decode()
        assert "The file is not a ZIP, or it is cut off." in content
        assert "hx-trigger" not in content
    assert not list(datasets_folder().rglob("*.zip"))


def test_a_reader_that_died_too_often_leaves_a_sentence(administrator: Client) -> None:
    data_set = sent(administrator)
    jobs.finish(data_set.job, failed="Its process was ended, most likely for want of memory.")
    content = administrator.get(f"{LIST}{data_set.pk}/").content.decode()
    assert "for want of memory" in content


def test_a_folder_is_read_only_below_those_that_are_allowed(
    administrator: Client, tmp_path: Path, settings: Any
) -> None:
    write_classes(tmp_path / "photos" / "rocks", {"a": "dots", "b": "rings"}, photos=5)
    (tmp_path / "secret").mkdir()
    (tmp_path / "photos" / "out").symlink_to(tmp_path / "secret")
    form = {"title": "Rocks", "folder": str(tmp_path / "photos" / "rocks")}
    administrator.post(f"{LIST}folder/", form)
    assert "MAREA_DATASET_FOLDERS first" in administrator.get(LIST).content.decode()
    settings.MAREA_DATASET_FOLDERS = [str(tmp_path / "photos")]
    for folder in ("secret", "photos/out", "photos/../secret", "photos/none", "\0", "photos2"):
        administrator.post(f"{LIST}folder/", form | {"folder": str(tmp_path / folder)})
        assert "no such folder among those" in administrator.get(LIST).content.decode()
    assert not DataSet.objects.exists()
    administrator.post(f"{LIST}folder/", form)
    assert read(DataSet.objects.get()).photos == 10


def test_a_folder_that_is_no_longer_allowed_is_not_read(tmp_path: Path, settings: Any) -> None:
    write_classes(tmp_path / "rocks", {"a": "dots", "b": "rings"}, photos=5)
    settings.MAREA_DATASET_FOLDERS = [str(tmp_path)]
    data_set = asking.ask_to_read_folder(an_administrator(), "Rocks", str(tmp_path / "rocks"))
    settings.MAREA_DATASET_FOLDERS = []
    with pytest.raises(CommandError, match="No folder of the server may be read"):
        read(data_set)


def test_a_training_is_asked_for_with_safe_defaults(administrator: Client) -> None:
    data_set = read(sent(administrator))
    administrator.post(f"{LIST}{data_set.pk}/train/", {"title": "Pets"})
    run = TrainingRun.objects.get()
    assert run.parameters == {"data_set": data_set.pk, "title": "Pets", "head": "auto"}
    assert (run.seed, run.why, run.job.state) == (0, "To tell these classes apart.", "waiting")
    page = administrator.get(f"{LIST}{data_set.pk}/").content.decode()
    assert "It is trained as soon as a worker is free." in page
    part = administrator.get(f"{LIST}{data_set.pk}/", headers={"HX-Request": "true"})
    assert part.content.decode().startswith('<div id="problem-progress" hx-get=')


@pytest.mark.parametrize(
    "form", [{"title": ""}, {"title": "x" * 61}, {"head": "huge"}, {"seed": "-1"}, {"seed": "x"}]
)
def test_an_unusable_choice_starts_nothing(form: dict[str, str], administrator: Client) -> None:
    data_set = read(sent(administrator))
    administrator.post(f"{LIST}{data_set.pk}/train/", {"title": "Pets"} | form)
    assert "Nothing was started." in administrator.get(f"{LIST}{data_set.pk}/").content.decode()
    assert not TrainingRun.objects.exists()


def test_nothing_is_trained_on_photos_that_are_not_read_yet(administrator: Client) -> None:
    data_set = sent(administrator)
    administrator.post(f"{LIST}{data_set.pk}/train/", {"title": "Pets"})
    assert not TrainingRun.objects.exists()


def test_a_deleted_data_set_can_be_brought_back_for_a_while(administrator: Client) -> None:
    data_set = read(sent(administrator))
    twin = read(sent(administrator, title="The same"))  # photos that two rows are about
    for each in (data_set, twin):
        administrator.post(f"{LIST}{each.pk}/delete/")
    assert "2 classes, deleted on" in administrator.get(LIST).content.decode()
    administrator.post(f"{LIST}{data_set.pk}/train/", {"title": "Pets"})
    assert not TrainingRun.objects.exists()
    administrator.post(f"{LIST}{data_set.pk}/restore/")
    assert "Start" in administrator.get(f"{LIST}{data_set.pk}/").content.decode()
    DataSet.objects.filter(pk=twin.pk).update(deleted_at=timezone.now() - timedelta(days=400))
    assert tidying.tidy() == 1
    assert snapshot_of(data_set).items
    DataSet.objects.update(deleted_at=timezone.now() - timedelta(days=400))
    assert tidying.tidy() == 1
    assert not data_set.folder.exists()
    assert administrator.get(f"{LIST}{data_set.pk}/").status_code == 404


def test_what_a_training_learns_from_is_not_deleted(administrator: Client) -> None:
    data_set = sent(administrator)
    said = administrator.post(f"{LIST}{data_set.pk}/delete/", follow=True).content.decode()
    assert "is still being read" in said
    read(data_set)
    administrator.post(f"{LIST}{data_set.pk}/train/", {"title": "Pets"})
    said = administrator.post(f"{LIST}{data_set.pk}/delete/", follow=True).content.decode()
    assert "Cancel the training" in said
    assert DataSet.objects.get().deleted_at is None
    lifecycle.cancel(TrainingRun.objects.get())
    administrator.post(f"{LIST}{data_set.pk}/delete/")
    lifecycle.resume(TrainingRun.objects.get())
    DataSet.objects.update(deleted_at=timezone.now() - timedelta(days=400))
    assert tidying.tidy() == 0
    assert data_set.folder.exists()


def test_a_thumbnail_is_one_of_the_data_set(administrator: Client) -> None:
    data_set = read(sent(administrator))
    for name in ("0" * 64, "..", "manifest.json", "%2e%2e%2fmanifest.json", "A" * 64):
        assert administrator.get(f"{LIST}{data_set.pk}/thumbnail/{name}/").status_code == 404
    assert administrator.get(f"{LIST}999/").status_code == 404


def test_only_what_the_active_version_knows_can_be_taken_away(administrator: Client) -> None:
    assert administrator.post(f"{LIST}forget/rocks/").status_code == 404
    assert not ModelJob.objects.exists()


def test_staff_see_what_they_are_allowed_to_and_superusers_act(administrator: Client) -> None:
    data_set = read(sent(administrator))
    of_one = [f"{data_set.pk}/{deed}/" for deed in ("train", "delete", "restore")]
    asked = ["upload/", "folder/", "forget/x/", *of_one]
    seen = ["", f"{data_set.pk}/", f"{data_set.pk}/thumbnail/{'0' * 64}/"]
    for client, status in (
        (Client(), 302),
        (browser_of(a_user()), 302),
        (browser_of(a_user(is_staff=True)), 403),
    ):
        for path in asked:
            assert client.post(f"{LIST}{path}", a_form()).status_code == status, path
        for path in seen:
            assert client.get(f"{LIST}{path}").status_code == status, path
    assert DataSet.objects.count() == 1
    for path in asked:
        assert administrator.get(f"{LIST}{path}").status_code == 405


def test_no_other_site_sends_a_zip() -> None:
    browser = browser_of(an_administrator(), enforce_csrf_checks=True)
    for path in ("upload/", "folder/"):
        assert browser.post(f"{LIST}{path}", a_form()).status_code == 403
    assert not DataSet.objects.exists()


def test_the_pages_keep_to_the_content_policy(administrator: Client) -> None:
    data_set = read(sent(administrator))
    for path in (LIST, f"{LIST}{data_set.pk}/"):
        page = administrator.get(path).content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_a_zip_comes_from_a_disk_of_uploads_to_that_of_the_data(
    administrator: Client, settings: Any
) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == settings.MAREA_DATA.stat().st_dev:
            pytest.skip("There is one disk only.")
        settings.FILE_UPLOAD_TEMP_DIR = other
        data_set = sent(administrator)
        assert not list(Path(other).iterdir())
    assert data_set.incoming.is_file()
