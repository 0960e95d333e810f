"""Changing model versions: verified first, complete before it serves, and reversible."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_photo, a_sight, a_user
from tests.vision.folders import write_version
from vision.versions import DEFAULT_VERSION, WEIGHTS
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.services import active_version, store_sights
from webapp.teach.versions.folders import known_versions, models_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()


@pytest.fixture
def another() -> str:
    """A second version that can look: the one that ships, under another name, as if its backbone
    were another."""
    folder = models_folder() / "another"
    shutil.copytree(WEIGHTS / DEFAULT_VERSION, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["parts"]["backbone"] |= {"twin": "another"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return "another"


@pytest.fixture
def photo() -> Photo:
    photo = a_photo(a_user())
    a_sight(photo, caption="what the old version saw", tags=[("old", 0.9)])
    return photo


def test_activating_looks_at_every_photo_before_it_switches(photo: Photo, another: str) -> None:
    call_command("models", "activate", another)
    assert active_version().name == another
    sight = Sight.objects.get(photo=photo, version__name=another)
    assert sight.caption
    photo.refresh_from_db()
    assert photo.state == Photo.State.READY
    assert not PhotoTag.objects.shown().filter(photo=photo, tag__name="old").exists()


def test_a_persons_tag_survives_the_change(photo: Photo, another: str) -> None:
    add_tag(photo.owner, Photo.objects.filter(pk=photo.pk), "holiday")
    call_command("models", "activate", another)
    assert PhotoTag.objects.get(photo=photo, tag__name="holiday").source == PhotoTag.Source.PERSON


def test_rollback_brings_back_what_the_earlier_version_saw(photo: Photo, another: str) -> None:
    before = active_version().name
    call_command("models", "activate", another)
    call_command("models", "rollback")
    assert active_version().name == before
    assert PhotoTag.objects.shown().filter(photo=photo, tag__name="old").exists()


def test_rollback_without_an_earlier_version_changes_nothing(photo: Photo) -> None:
    before = active_version()
    with pytest.raises(CommandError, match="No other version"):
        call_command("models", "rollback")
    assert active_version() == before


def test_a_photo_that_cannot_be_read_does_not_hold_up_the_switch(
    photo: Photo, another: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Photo.objects.filter(pk=photo.pk).update(sha256="0" * 64)
    call_command("models", "activate", another)
    assert active_version().name == another
    assert "1 photos could not be read" in capsys.readouterr().err


def test_results_of_a_version_that_was_replaced_meanwhile_are_not_stored(photo: Photo) -> None:
    old = active_version()
    seen = Sight.objects.get(photo=photo)
    Photo.objects.update(state="waiting", holder="worker")
    ModelVersion.objects.update(is_active=False)
    ModelVersion.objects.create(name="newer", is_active=True)
    assert store_sights("worker", old, [(photo, seen)], {}) == 0  # type: ignore[list-item]
    photo.refresh_from_db()
    assert photo.state == Photo.State.WAITING


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CommandError, match=f"no model version nothing. Known: .*{DEFAULT_VERSION}"):
        call_command("models", "activate", "nothing")


def test_altered_weights_are_refused(another: str) -> None:
    (models_folder() / another / "tags.safetensors").write_bytes(b"altered")
    with pytest.raises(CommandError, match="SHA-256"):
        call_command("models", "activate", another)
    assert active_version().name != another


@pytest.mark.parametrize("name", ["weights.pt", "model.pkl", "pytorch_model.bin"])
def test_pickles_are_refused_unopened(name: str) -> None:
    write_version(models_folder() / "pickled", {}, {})
    (models_folder() / "pickled" / name).write_bytes(b"cos\nsystem\n")
    with pytest.raises(CommandError, match="refused unopened"):
        call_command("models", "activate", "pickled")


def test_a_version_whose_manifest_changed_is_refused(another: str) -> None:
    call_command("models", "activate", another)
    path = models_folder() / another / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seed": 2}))
    with pytest.raises(CommandError, match="manifest has changed"):
        call_command("models", "activate", another)


def test_list_tells_sizes_and_which_is_active(
    photo: Photo, another: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("models", "list", json=True)
    versions = {each["name"]: each for each in json.loads(capsys.readouterr().out)["versions"]}
    assert versions[DEFAULT_VERSION]["is_active"]
    assert versions[DEFAULT_VERSION]["photos_seen"] == 1
    assert not versions[another]["is_active"]
    assert versions[another]["size_bytes"] > 1_000_000


def test_a_version_without_heads_is_not_put_to_work_but_pointed_to_adoption() -> None:
    write_version(models_folder() / "headless", {}, {"backbone": {"name": "inception-v3"}})
    with pytest.raises(CommandError, match=r"lacks text, embedding.*models adopt headless"):
        call_command("models", "activate", "headless")


def test_what_is_half_made_is_no_version() -> None:
    write_version(models_folder() / ".half.partial", {}, {})
    assert ".half.partial" not in {version.name for version in known_versions()}
