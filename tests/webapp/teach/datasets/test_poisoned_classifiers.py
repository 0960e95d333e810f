"""A version whose classifier is poisoned is refused in a sentence, and nothing of it is run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.hostile.classifier_folders import FILE, LABELS, POISONS, Poison
from vision.errors import VisionError
from vision.eye import load_eye
from vision.heads.classifier import ClassifierConfig, ClassifierNetwork, spec_of
from vision.training.publish import Draft
from vision.versions import open_version
from webapp.errors import UserError
from webapp.teach.versions.folders import models_folder, register

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with a classifier of two classes that nobody trained."""
    home = tmp_path_factory.mktemp("sound")
    draft = Draft.start("pets", home / "draft", base=open_version())
    config = ClassifierConfig(width=1400, classes=2)
    torch.manual_seed(0)
    save_file(ClassifierNetwork(config).state_dict(), home / "draft" / FILE)
    (home / "draft" / LABELS).write_text(json.dumps(["cat", "dog"]))
    draft.parts["classifier:pets"] = spec_of(config, title="Pets", file=FILE, labels=LABELS)
    return draft.publish(home / "pets", metrics={}, card="")


def use(folder: Path) -> None:
    """As activating does: verify, register, load."""
    register(folder.name)
    load_eye(folder, device="cpu")


def test_the_sound_one_is_used(sound: Path, tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    shutil.copytree(sound, models_folder() / "pets")
    use(models_folder() / "pets")


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_poisoned_classifier(poison: Poison, sound: Path, tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    folder = models_folder() / "pets"
    shutil.copytree(sound, folder)
    poison(folder)
    before = sorted(path.name for path in models_folder().iterdir())
    with pytest.raises((VisionError, UserError)) as caught:
        use(folder)
    assert str(caught.value).endswith(".")
    assert sorted(path.name for path in models_folder().iterdir()) == before
    assert "touched" not in before
