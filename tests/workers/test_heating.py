"""Heat maps as the worker draws them, with a head that says where on a photo it sees something."""

import io
import json
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from django.utils import timezone
from PIL import Image
from safetensors.torch import save

from tests.factories import a_photo, a_user, image_bytes
from vision.heads.image_head import ImageHeadConfig, ShippedHead
from vision.versions import open_version
from webapp.find.heat_maps import heat_map
from webapp.find.models import HeatMap
from webapp.library.models import Photo
from webapp.library.services.thumbnails import delete_thumbnails, store_thumbnails
from webapp.library.storage import originals
from webapp.teach.models import ModelVersion
from workers import heating, housekeeping, idling, queue, tasks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

LENDER = "lite2-2026.11"
HEAD = ImageHeadConfig(hidden=4)  # as wide as the lender's features


@pytest.fixture(autouse=True)
def nothing_loaded() -> None:
    heating.load_mapper.cache_clear()


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    """The active version: a shipped one whose embedding head was drawn by lot."""
    folder = tmp_path / "version"
    folder.mkdir()
    content = save(a_head())
    (folder / "head.safetensors").write_bytes(content)
    manifest = json.loads((open_version(LENDER).folder / "manifest.json").read_text("utf-8"))
    for listed in manifest["files"].values():
        listed.setdefault("in", LENDER)
    manifest["files"]["head.safetensors"] = {"sha256": sha256(content).hexdigest()}
    manifest["parts"]["embedding"] = {
        "name": "described",
        "file": "head.safetensors",
        "config": asdict(HEAD),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return activated(ModelVersion.objects.create(name="drawn by lot", folder=str(folder)))


def a_head() -> dict[str, torch.Tensor]:
    """Weights of an embedding head that can be traced back to cells."""
    torch.manual_seed(0)
    head = ShippedHead(HEAD)
    with torch.no_grad():
        for weight in (*head.parameters(), *head.buffers()):
            weight.normal_(std=0.02)
    return {name: weight.contiguous() for name, weight in head.state_dict().items()}


def activated(version: ModelVersion) -> ModelVersion:
    ModelVersion.objects.update(is_active=False)
    version.is_active, version.activated_at = True, timezone.now()
    version.save()
    return version


def a_wide_photo() -> Photo:
    data = image_bytes(size=(400, 200))
    photo = a_photo(a_user(), data=data, width=400, height=200)
    store_thumbnails(photo.sha256, {"large": image_bytes(size=(400, 200), kind="WEBP")})
    return photo


def drawn(photo: Photo) -> Image.Image:
    png = heat_map(photo.owner, photo.pk, "a dog")
    assert png is not None
    return Image.open(io.BytesIO(png))


def test_a_map_has_the_photos_shape_and_lets_it_shine_through(version: ModelVersion) -> None:
    photo = a_wide_photo()
    assert heat_map(photo.owner, photo.pk, "a dog") is None

    tasks.draw_heat_maps()

    overlay = drawn(photo)
    assert (overlay.format, overlay.mode, overlay.size) == ("PNG", "RGBA", (256, 128))
    low, high = overlay.getchannel("A").getextrema()
    assert low == 0  # somewhere the photo is as it is
    assert 0 < high < 255


def test_other_words_look_elsewhere(version: ModelVersion) -> None:
    photo = a_wide_photo()
    for words in ("a dog", "a red car"):
        heat_map(photo.owner, photo.pk, words)
    assert heating.draw_heat_maps(seconds=60, stopping=lambda: False) == 2
    dog, car = (heat_map(photo.owner, photo.pk, words) for words in ("a dog", "a red car"))
    assert dog != car


def test_a_signal_that_comes_twice_draws_once(version: ModelVersion) -> None:
    photo = a_wide_photo()
    heat_map(photo.owner, photo.pk, "a dog")
    for _ in range(2):
        tasks.draw_heat_maps()
    assert HeatMap.objects.get().attempts == 1
    assert queue.redis().llen("thumbnails") == 1  # the one from asking


def test_without_a_thumbnail_the_original_will_do(version: ModelVersion) -> None:
    photo = a_wide_photo()
    delete_thumbnails(photo.sha256)
    heat_map(photo.owner, photo.pk, "a dog")
    assert heating.draw_heat_maps(seconds=60, stopping=lambda: False) == 1
    assert drawn(photo).size == (256, 128)


def test_a_photo_that_cannot_be_read_fails_alone_and_says_why(version: ModelVersion) -> None:
    whole, lost = a_wide_photo(), a_wide_photo()
    delete_thumbnails(lost.sha256)
    originals().delete(lost.original_name)
    for photo in (whole, lost):
        heat_map(photo.owner, photo.pk, "a dog")
    assert heating.draw_heat_maps(seconds=60, stopping=lambda: False) == 1
    assert HeatMap.objects.get(photo=lost).failed.startswith("The photo cannot be read: ")
    assert drawn(whole)


def test_a_version_that_cannot_say_where_says_so() -> None:
    activated(ModelVersion.objects.create(name=LENDER))
    photo = a_wide_photo()
    heat_map(photo.owner, photo.pk, "a dog")
    assert heating.draw_heat_maps(seconds=60, stopping=lambda: False) == 0
    assert HeatMap.objects.get().failed == (
        "The model in use cannot say where on a photo it sees something."
    )


def test_a_worker_that_is_stopped_leaves_the_rest_to_others(version: ModelVersion) -> None:
    for photo in (a_wide_photo(), a_wide_photo()):
        heat_map(photo.owner, photo.pk, "a dog")
    assert heating.draw_heat_maps(seconds=60, stopping=lambda: True) == 1
    assert HeatMap.objects.waiting().count() == 1


def test_old_maps_are_tidied_away(version: ModelVersion) -> None:
    photo = a_wide_photo()
    heat_map(photo.owner, photo.pk, "a dog")
    housekeeping.tidy()
    assert HeatMap.objects.exists()
    HeatMap.objects.update(created_at=timezone.now() - timedelta(days=2))
    housekeeping.tidy()
    assert not HeatMap.objects.exists()


def test_an_idle_worker_lets_go_of_the_network(version: ModelVersion) -> None:
    heat_map((photo := a_wide_photo()).owner, photo.pk, "a dog")
    heating.draw_heat_maps(seconds=60, stopping=lambda: False)
    assert heating.load_mapper.cache_info().currsize == 1
    idling.let_go()
    assert heating.load_mapper.cache_info().currsize == 0


def test_maps_are_drawn_without_torch() -> None:
    loaded = "import sys, vision.heat, vision.decoding; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], text=True, capture_output=True)
    assert done.stdout.strip() == "False", done.stderr
