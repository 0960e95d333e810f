"""Training captions on drawings: every stage runs, resumes, and makes a part that speaks."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.folders import caption, write_collection
from tests.vision.training.recorder import Recorder
from vision.backbones.base import Features
from vision.collection import Collection
from vision.heads.polyglot import END, UNKNOWN, PolyglotCaptioner, PolyglotConfig
from vision.training.captions.data import (
    NO_WORD,
    build_vocabulary,
    load_sentences,
    load_views,
    make_task,
    set_aside,
    spellings,
)
from vision.training.captions.decoder import CaptionTraining, Lessons, train_captions
from vision.training.captions.part import make_captions, network_for
from vision.training.features import FeatureCache
from vision.training.publish import Draft
from vision.training.workshop import Workshop
from vision.versions import open_version

CONFIG = CaptionTraining(
    language_steps=2,
    language_batch=4,
    photo_steps=2,
    batch=8,
    lean_steps=1,
    reward_steps=2,
    reward_shares={"shapes.de": 0.0},
    rewarded=("shapes.en",),
    reward_photos=4,
    samples=3,
    fewest_uses=1,
    save_every=1,
)
GERMAN = {"red": "rot", "circle": "Kreis", "square": "Quadrat", "cross": "Kreuz"}


def german(number: int) -> str:
    """What `draw(number)` shows, as far as there are words."""
    words = [GERMAN[w] for w in caption(number).split() if w in GERMAN]
    return " ".join(["Ein", *words, "auf Grau."])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Drawings with captions in two languages, sentences without photos, and their features."""
    data, work = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("work")
    write_collection(data / "shapes")
    with gzip.open(data / "shapes/captions.de.csv.gz", "wt", encoding="utf-8", newline="") as table:
        rows = [("train", f"{number:05}.png", german(number)) for number in range(20)]
        csv.writer(table).writerows([("split", "file", "caption"), *rows])
    (data / "captions_text").mkdir()
    for name, say in (("flickr30k.en", caption), ("flickr30k.de", german)):
        with gzip.open(data / f"captions_text/{name}.txt.gz", "wt", encoding="utf-8") as lines:
            lines.write("\n".join(say(number) for number in range(30)))
    version = open_version("lite2-2026.11")
    Draft.start("captions", work / "draft", base=version)
    shop = Workshop(data=data, work=work, collections=("shapes",), views=("plain", "flip"))
    spec = version.part("backbone")
    cache = FeatureCache(shop.features.folder, shop.draft / spec["onnx"], spec["input_size"])
    cache.extract(Collection(data / "shapes"), "train")
    return shop


@pytest.fixture(scope="module")
def lessons(shop: Workshop) -> tuple[Lessons, PolyglotConfig]:
    (collection,) = shop.all_collections()
    views = load_views(shop.features, collection, "train", shop.views)
    captions = collection.captions("train")
    texts = [text for own in captions.values() for text in own]
    words = build_vocabulary(texts, fewest_uses=1)
    sentences = load_sentences(shop.data / "captions_text", "en", words, seed=0)
    assert sentences is not None
    task = make_task("shapes", "en", captions, views, words)
    return Lessons([sentences], [task]), network_for(views, {"en": words})


@pytest.mark.parametrize("stop", [1, 3, 6])  # in the first stage, the second and the last
def test_an_interrupted_training_resumes_to_the_same_weights(
    lessons: tuple[Lessons, PolyglotConfig], tmp_path: Path, stop: int
) -> None:
    whole, after = Recorder(), Recorder()
    straight = train_captions(*lessons, CONFIG, work=tmp_path / "a", progress=whole)
    with pytest.raises(KeyboardInterrupt):
        train_captions(*lessons, CONFIG, work=tmp_path / "b", progress=Recorder(stop_after=stop))
    resumed = train_captions(*lessons, CONFIG, work=tmp_path / "b", progress=after)
    assert after.losses == whole.losses[stop:]
    for name, weight in resumed.state_dict().items():
        assert torch.equal(weight, straight.state_dict()[name]), name


def test_the_trained_part_speaks_every_language(shop: Workshop, tmp_path: Path) -> None:
    draft = Draft.start("speaks", shop.draft, base=open_version("lite2-2026.11"))
    draft.parts |= make_captions(shop, draft, CONFIG)
    version = open_version(draft.publish(tmp_path / "speaks", metrics={}, card=""))
    captioner = PolyglotCaptioner(version, version.part("captions"), "cpu")
    rng = np.random.default_rng(1)
    features = Features(
        pooled=rng.random((3, 1280), dtype=np.float32),
        stride16=rng.random((3, 120), dtype=np.float32),
        grid=rng.random((3, 9, 9, 352), dtype=np.float32),
        logits=rng.normal(size=(3, 1000)).astype(np.float32),
    )
    for english in captioner(features):
        assert english.others.keys() == {"de"}
        for text, confidence in ((english.caption, english.confidence), english.others["de"]):
            assert "<" not in text
            assert 0.0 <= confidence <= 1.0
    assert "Kreis" in captioner.languages["de"].vocabulary
    assert "grau" not in captioner.languages["de"].vocabulary


def test_a_caption_in_numbers_ends_unless_it_is_cut() -> None:
    words = build_vocabulary(["a dog", "a dog"], fewest_uses=2)
    assert words.words[:4] == ["<end>", "<unknown>", "<flickr8k>", "<coco_wide>"]
    a, dog = words.number_of["a"], words.number_of["dog"]
    numbers = words.numbers("A dog, a cat.").tolist()
    assert numbers[:6] == [a, dog, a, UNKNOWN, END, NO_WORD]
    assert END not in words.numbers("a " * 30).tolist()


def test_a_mirrored_photo_has_its_left_on_the_right() -> None:
    words = build_vocabulary(["a man left of a dog", "right"], fewest_uses=1)
    left, right = words.number_of["left"], words.number_of["right"]
    assert words.mirrored[left] == right
    assert words.mirrored[right] == left
    others = [n for n in range(len(words.words)) if n not in (left, right)]
    assert (words.mirrored[others] == others).all()


def test_words_are_spelled_as_inside_sentences() -> None:
    texts = ["Hunde spielen im Schnee", "zwei Hunde im Schnee", "der schnee ist tief im Schnee"]
    words = build_vocabulary(texts, language="de", fewest_uses=1)
    spelled = dict(zip(words.words, spellings(words, texts), strict=True))
    assert spelled["hunde"] == "Hunde"
    assert spelled["schnee"] == "Schnee"
    assert spelled["im"] == "im"


def test_the_same_photos_are_set_aside_whatever_their_order() -> None:
    names = [f"{number}.jpg" for number in range(100)]
    aside = set_aside(names, 7)
    assert len(aside) == 7
    assert set_aside(names[::-1], 7) == aside
    assert len(set_aside(names, 500)) == 10, "at most a tenth"
