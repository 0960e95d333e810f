"""The whole way of an embedding: from drawn photos, captions, labels and German to a version."""

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.vision.folders import COLOURS, SHAPES, add_png, draw, write_collection
from vision.collection import Collection
from vision.eye import load_eye
from vision.heat import load_heat_mapper
from vision.text_encoder import load_text_encoder
from vision.training.embedding.bilingual import BilingualTraining
from vision.training.embedding.german import GermanWords
from vision.training.embedding.part import make_embedding
from vision.training.embedding.towers import EmbeddingTraining, Merging, TowerTraining
from vision.training.publish import Draft
from vision.training.workshop import Workshop, look_at_photos, make_backbone
from vision.versions import open_version

QUICK = EmbeddingTraining(
    tower=TowerTraining(steps=30, batch=24, warmup=3, image_hidden=16, text_hidden=16),
    merging=Merging(squeezed=16, bank=8),
    bilingual=BilingualTraining(steps=2, batch=8, words=GermanWords(fewest=2, fewest_suffix=2)),
)
GERMAN = {"red": "rot", "green": "grün", "blue": "blau", "circle": "Kreis", "square": "Quadrat"}


def write_data(folder: Path) -> Path:
    """Drawings with captions, classes of drawings, and sentences in two languages."""
    write_collection(folder / "shapes")
    scenes = folder / "scenes"
    scenes.mkdir()
    rows = ["split,file,class"]
    with tarfile.open(scenes / "photos.tar", "w") as tar:
        for number in range(6):
            rows.append(f"train,{number}.png,{SHAPES[number % 3]}")
            add_png(tar, f"{number}.png", draw(number))
    (scenes / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "captions_text").mkdir()
    table = folder / "captions_text" / "flickr30k.parallel.en-de.tsv.gz"
    with gzip.open(table, "wt", encoding="utf-8") as lines:
        for colour in ("red", "green", "blue"):
            for shape in ("circle", "square"):
                lines.write(f"a {colour} {shape}\tein {GERMAN[shape]} in {GERMAN[colour]}\n")
    return folder


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = write_data(tmp_path_factory.mktemp("data"))
    shop = Workshop(data, tmp_path_factory.mktemp("work"), collections=("shapes",))
    base = open_version()
    draft = Draft.start("drawn", shop.draft, base=base)
    make_backbone(shop)  # the one that ships is there already
    look_at_photos(shop)
    draft.parts |= make_embedding(shop, QUICK)
    return draft.publish(shop.work / "drawn", metrics={}, card="")


def test_texts_and_photos_meet_in_the_new_space(version: Path) -> None:
    photos = [draw(number) for number in range(12)]
    images = np.stack([sight.embedding for sight in load_eye(version, device="cpu").look(photos)])
    words = [f"A {COLOURS[n % 6]} {SHAPES[n % 3]} on grey ." for n in range(6)]
    texts = load_text_encoder(version).encode(words)
    assert np.linalg.norm(images, axis=1) == pytest.approx(np.ones(12), abs=1e-3)
    right = (texts @ images.T).argmax(axis=1) % 6
    assert (right == np.arange(6)).mean() >= 0.5, "chance is one in six"


def test_german_words_are_in_the_vocabulary(version: Path) -> None:
    encoder = load_text_encoder(version)
    german, english, other = encoder.encode(["Quadrat", "square", "circle"])
    assert german @ english > german @ other


def test_the_new_head_says_where(version: Path) -> None:
    query = load_text_encoder(version).encode(["circle"])[0]
    assert load_heat_mapper(version).map(draw(0), query).max() == 1.0


def test_labels_are_learned_from_where_they_are(tmp_path: Path) -> None:
    assert Collection(write_data(tmp_path) / "scenes").labels("train") == {
        f"{number}.png": [SHAPES[number % 3]] for number in range(6)
    }
