"""From `models pull` to photos that are seen and found: against a local server, with tiny models
of the same formats."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.management import CommandError, call_command

from tests.factories import a_photo, a_sight, a_user, image_bytes
from tests.vision import tiny
from tests.vision.model_server import ModelServer, remote_file, serving
from vision.adopting import adopting
from vision.backbones.inception import InceptionV3
from vision.pulling.catalogue import CATALOGUE, Pullable
from vision.strong import fitting
from webapp.find.index import engine
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.teach.models import Sight
from webapp.teach.runs.holdout import is_held_out
from webapp.teach.services import active_version
from webapp.teach.versions.fetched import photos_to_fit_to
from webapp.teach.versions.folders import known_versions, models_folder

pytestmark = pytest.mark.django_db

PHOTOS = 15


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.MAREA_DATA = tmp_path / "data"
    models_folder().mkdir(parents=True)
    monkeypatch.setattr(fitting, "_PLACES", ("", "on the grass"))
    engine.close()
    yield
    engine.close()


@pytest.fixture
def server(settings: Any) -> Iterator[ModelServer]:
    with serving() as server:
        settings.MAREA_MODELS_URL = server.address
        yield server


def offer(monkeypatch: pytest.MonkeyPatch, entry: Pullable) -> None:
    """Put an entry of tiny files into the catalogue, in place of the real one."""
    monkeypatch.setitem(CATALOGUE, entry.name, entry)


def test_a_pulled_embedder_sees_finds_and_is_listed(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = a_photo(a_user(), data=image_bytes(seed=1))  # one that is not held out
    a_sight(photo, caption="what the old version saw", tags=[("old", 0.9)])
    server.break_after = [100, 5000]
    entry = server.offer(
        tiny.write_clip(tmp_path / "remote"),
        "clip-vit-b-32",
        maker="clip",
        gives=("embedding", "text"),
    )
    offer(monkeypatch, entry)

    call_command("models", "pull", "clip-vit-b-32")
    call_command("models", "activate", "clip-vit-b-32")

    assert active_version().name == "clip-vit-b-32"
    assert Sight.objects.get(photo=photo, version=active_version()).caption
    page = find_photos(photo.owner, "a photo of a dog", show_more=True)
    assert [found.photo for found in page.found] == [photo]
    (known,) = (version for version in known_versions() if version.name == "clip-vit-b-32")
    assert (known.is_active, known.lacks, known.photos_seen) == (True, (), 1)
    assert known.metrics["pulled"]["projection"]["photos"] == 1


def test_without_a_network_a_sentence_says_so_and_nothing_is_left(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAREA_MODELS_URL = "http://127.0.0.1:1"
    with pytest.raises(CommandError, match=r"cannot be reached.*needs a network"):
        call_command("models", "pull", "inception-v3")
    assert not (models_folder() / "inception-v3").exists()


def write_inception(folder: Path) -> Path:
    """A checkpoint of the official one's format, its numbers drawn."""
    torch.manual_seed(0)
    folder.mkdir()
    torch.save(InceptionV3().state_dict(), folder / "inception_v3_google-00000000.pth")
    return folder


def test_a_pulled_backbone_takes_over_without_labels(
    tmp_path: Path,
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    owner = a_user()
    for _ in range(PHOTOS):
        a_photo(owner)
    fitted = len(photos_to_fit_to())
    monkeypatch.setattr(adopting, "FEWEST_PHOTOS", fitted)
    content = next(write_inception(tmp_path / "remote").iterdir()).read_bytes()
    path = "models/inception_v3_google-00000000.pth"
    server.files[f"/{path}"] = content
    official = CATALOGUE["inception-v3"]
    file = remote_file(path, content)
    entry = Pullable(**{f: getattr(official, f) for f in official.__slots__} | {"files": (file,)})
    offer(monkeypatch, entry)

    call_command("models", "pull", "inception-v3")
    with pytest.raises(CommandError, match="models adopt inception-v3"):
        call_command("models", "activate", "inception-v3")
    call_command("models", "adopt", "inception-v3")
    call_command("models", "activate", "inception-v3-adopted")

    assert active_version().name == "inception-v3-adopted"
    assert Sight.objects.filter(version=active_version()).count() == PHOTOS
    capsys.readouterr()
    call_command("models", "list", json=True)
    versions = {v["name"]: v for v in json.loads(capsys.readouterr().out)["versions"]}
    figures = versions["inception-v3-adopted"]["metrics"]["adopted"]
    assert figures["variance_explained"]["photos"] == fitted
    assert set(figures["agreement"]) >= {"embedding_cosine", "recall@10", "tags", "caption_words"}
    assert not (models_folder() / "inception-v3-adopted" / "inception_v3.pth").exists()


def test_too_few_photos_are_told_with_how_many_it_takes() -> None:
    photo = a_photo(a_user())
    learned = 0 if is_held_out(photo.sha256) else 1
    folder = models_folder() / "other"
    from tests.vision.folders import write_version

    write_version(folder, {}, {"backbone": {"name": "inception-v3-official"}})
    with pytest.raises(CommandError, match=rf"There are {learned} photos .* at least 200"):
        call_command("models", "adopt", "other")
    assert Photo.objects.count() == 1
