"""CLIP, SigLIP and BLIP as parts of a version, with tiny models of the same formats."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from tests.vision import tiny
from tests.vision.folders import draw
from vision.backbones.base import Features
from vision.errors import PullError, WeightsError
from vision.eye import Eye, load_eye
from vision.heads.gist import NOBODY
from vision.heads.polyglot import PolyglotCaptioner
from vision.pixels import squash
from vision.strong import fitting, pulled, texts
from vision.strong.extra import transformers
from vision.strong.joint import load_clip, load_siglip
from vision.text_encoder import load_text_encoder
from vision.training.publish import Draft
from vision.versions import open_version

SENTENCES = ["a photo of a dog", "red flower on the grass", "sea"]
PHOTOS = [draw(number) for number in range(3)]


@pytest.fixture(autouse=True, scope="module")
def quick_and_exact() -> Iterator[None]:
    """Few sentences to fit on, as these models have no 512 dimensions to choose among; and the
    text side in float, to compare with the original."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "_PLACES", ("", "on the grass"))
        patch.setattr(texts, "INT8_COSINE", 2.0)
        yield


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return _made("clip", tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return _made("siglip", tmp_path_factory.mktemp("siglip"))


def _made(kind: str, folder: Path) -> tuple[Path, Path]:
    """The checkpoint and the version that was made of it, without photos to fit to."""
    fetched = getattr(tiny, f"write_{kind}")(folder / "fetched")
    draft = Draft.start(kind, folder / "draft", base=open_version())
    getattr(pulled, f"make_{kind}")(fetched, draft, [])
    return fetched, draft.publish(folder / kind, metrics={}, card="")


def _reference(fetched: Path, name: str, size: int, lower: bool = False) -> tuple[np.ndarray, ...]:
    """What `transformers` itself says of the sentences and photos, of unit norm."""
    model = getattr(transformers(), name).from_pretrained(fetched).eval()
    tokenizer = Tokenizer.from_file(str(fetched / "tokenizer.json"))
    pixels = np.stack([squash(photo, size) for photo in PHOTOS]).astype(np.float32) / 255
    spec = pulled.SIGLIP_PIXELS if lower else pulled.CLIP_PIXELS
    pixels = (pixels - np.array(spec["pixel_mean"])) / np.array(spec["pixel_deviation"])
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    read = []
    with torch.inference_mode():
        images = model.get_image_features(pixel_values=x).pooler_output
        for sentence in SENTENCES:
            ids = tokenizer.encode(sentence).ids
            if lower:
                ids = ids + [0] * (16 - len(ids))
            read.append(model.get_text_features(torch.tensor([ids])).pooler_output[0])
    unit = torch.nn.functional.normalize
    return unit(torch.stack(read), dim=-1).numpy(), unit(images, dim=-1).numpy()


def _cosines(texts: np.ndarray, images: np.ndarray) -> np.ndarray:
    return texts @ images.T


@pytest.mark.parametrize(("kind", "name"), [("clip", "CLIPModel"), ("siglip", "SiglipModel")])
def test_texts_and_photos_compare_as_transformers_says(
    kind: str, name: str, request: pytest.FixtureRequest
) -> None:
    fetched, version = request.getfixturevalue(kind)
    read, seen = _reference(fetched, name, 32, lower=kind == "siglip")
    sights = load_eye(version, device="cpu").look(PHOTOS)
    own_images = np.stack([sight.embedding for sight in sights])
    own_texts = load_text_encoder(version).encode(SENTENCES)
    assert own_images.shape == (3, 512)
    assert np.linalg.norm(own_images, axis=1) == pytest.approx(1, abs=1e-4)
    assert _cosines(own_images, own_images) == pytest.approx(_cosines(seen, seen), abs=1e-2)
    assert _cosines(own_texts, own_images) == pytest.approx(_cosines(read, seen), abs=1e-2)


def test_the_text_side_is_int8_where_that_changes_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: tuple[Path, Path]
) -> None:
    monkeypatch.setattr(texts, "INT8_COSINE", 0.9)
    draft = Draft.start("clip", tmp_path, base=open_version())
    figures = pulled.make_clip(clip[0], draft, PHOTOS)["text"]
    assert figures["weights"] == "int8"
    assert 0.97 < figures["int8_cosine"] <= 1
    assert b"MatMulInteger" in (tmp_path / "clip.text.onnx").read_bytes()
    assert b"MatMulInteger" not in (clip[1] / "clip.text.onnx").read_bytes()


def test_a_pulled_embedder_leaves_tags_as_they_were_and_judges_no_captions(
    clip: tuple[Path, Path],
) -> None:
    eye = load_eye(device="cpu")
    assert isinstance(eye.caption, PolyglotCaptioner)
    eye.caption.judges = NOBODY  # vectors of different spaces never meet
    before = eye.look(PHOTOS)
    after = load_eye(clip[1], device="cpu").look(PHOTOS)
    for one, other in zip(before, after, strict=True):
        assert (one.caption, one.tags) == (other.caption, other.tags)
        assert one.embedding != pytest.approx(other.embedding, abs=1e-2)


def test_a_batch_is_seen_like_its_photos_one_by_one(clip: tuple[Path, Path]) -> None:
    eye = load_eye(clip[1], device="cpu")
    together = eye.look(PHOTOS)
    assert eye.look(PHOTOS[1:2])[0].embedding == pytest.approx(together[1].embedding, abs=1e-4)
    assert eye.look([]) == []


def test_siglip_reads_capitals_like_small_letters(siglip: tuple[Path, Path]) -> None:
    one, other = load_text_encoder(siglip[1]).encode(["a photo of a dog", "A PHOTO of a Dog"])
    assert one == pytest.approx(other)


def test_a_wider_space_loses_little_where_texts_and_photos_are() -> None:
    """Features of 700 dimensions that vary in 300 of them come through unharmed."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(700, 300)))[0].T
    rows = (rng.normal(size=(900, 300)) * np.geomspace(1, 0.05, 300)) @ basis
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    fitted = fitting.fit(rows[:600], rows[600:])
    assert fitted.figures["mean_cosine_change"] < 1e-3
    assert fitted.figures["centred"]
    with torch.inference_mode():
        assert fitted.photos(torch.from_numpy(rows[600:])).shape == (300, 512)


def test_centring_spreads_what_lies_in_two_cones_and_keeps_who_is_nearest() -> None:
    rng = np.random.default_rng(1)
    meant = rng.normal(size=(100, 64))
    cone = [3 * rng.normal(size=64) for _ in range(2)]
    written, photos = (meant + 0.2 * rng.normal(size=meant.shape) + each for each in cone)
    written, photos = (
        (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        for rows in (written, photos)
    )
    fitted = fitting.fit(written, photos)
    with torch.inference_mode():
        own_texts = fitted.texts(torch.from_numpy(written)).numpy()
        own_photos = fitted.photos(torch.from_numpy(photos)).numpy()
    assert (own_texts @ own_photos.T).std() > 1.5 * (written @ photos.T).std()
    assert ((own_texts @ own_photos.T).argmax(axis=1) == np.arange(100)).mean() > 0.95


def test_blip_says_one_sentence_with_a_confidence(tmp_path: Path) -> None:
    fetched = tiny.write_blip(tmp_path / "fetched")
    from vision.pulling.making import MAKERS

    draft = Draft.start("blip", tmp_path / "draft", base=open_version())
    MAKERS["blip"](fetched, draft, [])
    version = draft.publish(tmp_path / "blip", metrics={}, card="")
    assert not [path for path in version.iterdir() if path.suffix == ".bin"]
    eye: Eye = load_eye(version, device="cpu")
    together = eye.look(PHOTOS)
    assert eye.input_size == max(32, eye.backbone.input_size)
    for sight in together:
        assert sight.caption[0].isupper()
        assert "<" not in sight.caption.replace("<unk>", "")
        assert 0 <= sight.caption_confidence <= 1
    assert eye.look(PHOTOS[:1])[0].caption == together[0].caption


def test_a_head_that_gets_no_photos_says_so(clip: tuple[Path, Path]) -> None:
    version = open_version(clip[1])
    head = load_clip(version, version.part("embedding"), "cpu")
    nothing = np.zeros((1, 1), dtype=np.float32)
    with pytest.raises(ValueError, match="pixels"):
        head(Features(nothing, nothing, nothing, nothing))


def test_weights_of_another_network_do_not_load(clip: tuple[Path, Path]) -> None:
    version = open_version(clip[1])
    with pytest.raises(WeightsError, match="does not fit its network"):
        load_siglip(version, version.part("embedding"), "cpu")


@pytest.mark.parametrize("damage", ["truncated", "not a number", "lacking", "of another shape"])
def test_a_checkpoint_that_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path, damage: str
) -> None:
    from safetensors.torch import load_file, save_file

    fetched = tiny.write_clip(tmp_path / "fetched")
    path = fetched / "model.safetensors"
    weights, name = load_file(path), "visual_projection.weight"
    if damage == "not a number":
        weights[name][0, 0] = float("nan")
    elif damage == "lacking":
        del weights[name]
    elif damage == "of another shape":
        weights[name] = torch.zeros(7, 32)
    save_file(weights, path, metadata={"format": "pt"})
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-1000])
    draft = Draft.start("clip", tmp_path / "draft", base=open_version())
    with pytest.raises(PullError, match="was refused"):
        pulled.make_clip(fetched, draft, [])
    assert draft.parts["embedding"] == open_version().part("embedding")


def test_code_that_a_repository_names_is_never_run(tmp_path: Path) -> None:
    """`auto_map` asks for a Python file of the repository to be imported."""
    fetched = tiny.write_clip(tmp_path / "fetched")
    sprung = tmp_path / "sprung"
    (fetched / "trap.py").write_text(f"open({str(sprung)!r}, 'w')")
    config = (fetched / "config.json").read_text().rstrip().rstrip("}")
    auto = '"auto_map": {"AutoModel": "trap.Trap", "AutoConfig": "trap.Trap"}'
    (fetched / "config.json").write_text(f"{config}, {auto}}}")
    draft = Draft.start("clip", tmp_path / "draft", base=open_version())
    pulled.make_clip(fetched, draft, [])
    assert not sprung.exists()
