"""Distilling: photos, the parser of nsfwjs, lessons, and a training in two parts like in one."""

import base64
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.vision.folders import add_png, draw, write_collection
from vision.backbones import onnx_weights
from vision.backbones.base import Features
from vision.backbones.inception import UNIT, InceptionV3
from vision.backbones.inception_views import empty_views
from vision.backbones.onnx import OnnxBackbone
from vision.errors import DataMissing, TrainingError, WeightsError
from vision.pixels import squash_batch
from vision.training.backbone import export_backbone
from vision.training.distillation import plot
from vision.training.distillation.distill import Distillation, DistillationRun, agreement
from vision.training.distillation.distilled import STUDENT, distilled_inception
from vision.training.distillation.lessons import AskedTeacher, Draw, KeptAnswers
from vision.training.distillation.nsfwjs import parse_literal, read_weights, renew
from vision.training.distillation.photos import KEPT_SIZE, open_photos, training_archives
from vision.training.distillation.student import Standard, Student, Views
from vision.training.networks import NETWORKS

SIZE = 75  # the smallest photo that Inception takes

CONFIG = Distillation(
    steps=2,
    batch=3,
    sizes=((0.0, SIZE), (0.5, 91)),
    learn_from=((0.0, "Mixed_7b"), (0.5, "Mixed_7a")),
    warmup=2,
    save_every=1,
    judge_every=1,
    judge_size=SIZE,
    begin_with=6,
)


class Teacher:
    """A function of a photo's pixels, in the shapes of Lite2."""

    input_size = 64

    def __call__(self, pixels_BHWC: np.ndarray) -> Features:
        seen = pixels_BHWC.astype(np.float32).reshape(len(pixels_BHWC), -1)[:, :1280] / 255
        grid = np.repeat(seen[:, None, None, :352], 9, axis=1).repeat(9, axis=2)
        return Features(seen, seen[:, :120], grid, 5 * seen[:, :1000])


def _student() -> Student:
    torch.manual_seed(0)
    return Student(InceptionV3(), UNIT)


def _run(work: Path, config: Distillation) -> DistillationRun:
    photos = squash_batch([draw(number) for number in range(8)], KEPT_SIZE)
    return DistillationRun(
        _student(),
        teacher=Teacher(),
        photos=photos,
        held_out=photos[:2],
        config=config,
        work=work / "distill",
    )


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work folder of a distillation in one go."""
    work = tmp_path_factory.mktemp("work")
    _run(work, CONFIG).run()
    return work


def test_a_distillation_in_two_parts_ends_like_one_in_a_single_go(
    distilled: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, CONFIG).run(progress=_interrupt)
    _run(tmp_path, CONFIG).run()
    whole = distilled_inception(distilled).state_dict()
    parts = distilled_inception(tmp_path).state_dict()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def _interrupt(*_: object) -> None:
    """The power goes out after the first step."""
    raise KeyboardInterrupt


def test_frozen_stages_stay_and_the_others_learn(distilled: Path) -> None:
    before, after = _student().network.state_dict(), load_file(distilled / STUDENT)
    frozen, learned = "Mixed_6e.branch1x1.conv.weight", "Mixed_7c.branch1x1.conv.weight"
    assert torch.equal(before[frozen], after[f"network.{frozen}"])
    statistics = "Mixed_6e.branch1x1.bn.running_var"
    assert torch.equal(before[statistics], after[f"network.{statistics}"])
    assert not torch.equal(before[learned], after[f"network.{learned}"])


def test_the_log_has_a_row_a_step_and_draws(distilled: Path, tmp_path: Path) -> None:
    rows = plot.read_log(distilled / "distill" / "distill.jsonl")
    assert [row["step"] for row in rows] == [0, 1, 2, 2]
    assert "began_pooled" in rows[0]
    assert "top5" in rows[1]
    assert rows[-1]["finished"]
    assert plot.main([str(distilled / "distill/distill.jsonl"), str(tmp_path / "a.svg")]) == 0
    assert "<svg" in (tmp_path / "a.svg").read_text("utf-8")


def test_other_settings_are_another_training(distilled: Path) -> None:
    config = Distillation(**{**_values(CONFIG), "seed": 1})
    with pytest.raises(TrainingError, match="other settings"):
        _run(distilled, config).run()


def test_steps_sizes_and_stages_may_change_between_parts() -> None:
    other = Distillation(**{**_values(CONFIG), "steps": 9, "sizes": ((0.0, 96),)})
    assert other.identity() == CONFIG.identity()


def _values(config: Distillation) -> dict[str, object]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


def test_the_rate_warms_up_stays_and_falls_to_nothing() -> None:
    config = Distillation(steps=100, warmup=10, decay_from=0.5)
    assert config.rate(0) == pytest.approx(0.1)
    assert config.rate(30) == 1
    assert config.rate(75) == pytest.approx(0.5)
    assert config.rate(100) == 0


class Tiny(torch.nn.Module):
    """The shape of a backbone, small."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.fc = torch.nn.Linear(8, 6)

    def forward(self, pixels_BHWC: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = torch.relu(self.conv(pixels_BHWC.permute(0, 3, 1, 2) / 255))
        pooled = x.mean(dim=(2, 3))
        return pooled, pooled * 1, x.permute(0, 2, 3, 1), self.fc(pooled)


def test_layers_that_compute_in_float_are_stored_in_int8(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, path = Tiny().eval(), tmp_path / "tiny.onnx"
    photos = [draw(n, width=32, height=32) for n in range(4)]
    export_backbone(
        network, size=32, photos=photos, to=path, operators=("Conv", "Relu"), compact=("fc.weight",)
    )
    arrays = dict(onnx_weights.initializers(path))
    assert arrays["fc.weight_quantized"].dtype == np.int8
    with torch.inference_mode():
        exact = network(torch.from_numpy(np.stack(photos)))[3].numpy()
    assert OnnxBackbone(path, input_size=32)(np.stack(photos)).logits == pytest.approx(
        exact, abs=0.02
    )


def test_a_gpu_gets_its_weights_out_of_the_exported_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, path = Tiny().eval(), tmp_path / "tiny.onnx"
    photos = [draw(n, width=32, height=32) for n in range(4)]
    export_backbone(network, size=32, photos=photos, to=path, compact=("fc.weight",))
    again = onnx_weights.fill(Tiny(), path)
    for name, weight in network.state_dict().items():
        assert again.state_dict()[name] == pytest.approx(weight, abs=0.01)
    with pytest.raises(WeightsError, match="holds no other"):
        onnx_weights.fill(torch.nn.ModuleDict({"other": torch.nn.Linear(1, 1)}), path)


def test_the_distilled_network_has_the_names_of_the_exported_one(distilled: Path) -> None:
    """What a GPU fills from the file is built from the manifest alone."""
    wanted = distilled_inception(distilled).state_dict()
    built = empty_views(NETWORKS["inception-v3"]().spec).state_dict()
    assert {n: t.shape for n, t in built.items()} == {n: t.shape for n, t in wanted.items()}


def test_without_a_student_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"manage\.py train distill"):
        distilled_inception(tmp_path)


def test_photos_of_tests_and_development_are_never_learned_from(tmp_path: Path) -> None:
    write_collection(tmp_path / "captioned", train=6, dev=3)
    folder = tmp_path / "labelled"
    folder.mkdir()
    with tarfile.open(folder / "photos.tar", "w") as tar:
        for number in range(4):
            add_png(tar, f"{number}.png", draw(100 + number))
    (folder / "labels.csv").write_text(
        "split,file,class\ntrain,0.png,a\ntest,1.png,a\ntrain,2.png,b\n"
    )
    photos = open_photos(training_archives(tmp_path), tmp_path / "kept.npy")
    assert photos.shape == (9, KEPT_SIZE, KEPT_SIZE, 3)
    held_out = squash_batch([draw(101)], KEPT_SIZE)[0]
    assert not any(np.array_equal(photo, held_out) for photo in photos)


def test_teacher_and_student_see_the_same_crop() -> None:
    photos = squash_batch([draw(number) for number in range(5)], KEPT_SIZE)
    draws = Draw.random(np.arange(5), 3, KEPT_SIZE, 0.5, seed=[0, 1])
    again = Draw.random(np.arange(5), 3, KEPT_SIZE, 0.5, seed=[0, 1])
    assert draws.boxes == again.boxes
    asked = AskedTeacher(Teacher())(draws, photos)
    assert np.array_equal(asked.pooled, Teacher()(draws.cut(photos, 64)).pooled)


def test_kept_answers_are_those_of_the_photo_and_its_mirror_image(tmp_path: Path) -> None:
    photos = squash_batch([draw(number) for number in range(5)], KEPT_SIZE)
    whole = Draw(np.arange(5), [(0.0, 0.0, 224.0, 224.0)] * 5, np.zeros(5, bool))
    mirrored = Draw(whole.rows, whole.boxes, np.ones(5, bool))
    for archive, rows in {"train-0": slice(1, 3), "train-1": slice(3, 5)}.items():
        for view, each in {"plain": whole, "flip": mirrored}.items():
            seen = Teacher()(each.cut(photos, 64)[rows])
            for part in ("pooled", "stride16", "grid", "logits"):
                np.save(tmp_path / f"{archive}.{view}.{part}.npy", getattr(seen, part))
    kept = KeptAnswers([tmp_path / "train-0", tmp_path / "train-1"], first=1)
    assert kept.rows().tolist() == [1, 2, 3, 4]
    asked = Draw.random(kept.rows(), 3, KEPT_SIZE, 1.0, seed=[0, 3])
    answers, wanted = kept(asked, photos), AskedTeacher(Teacher())(asked, photos)
    assert np.array_equal(answers.logits, wanted.logits)


def test_agreement_counts_the_teachers_first_class_among_five() -> None:
    wanted = Views(torch.rand(2, 8), torch.rand(2, 4), torch.rand(2, 1, 1, 3), torch.eye(2, 10))
    far = torch.arange(10.0).expand(2, 10)  # its five are the last classes
    assert agreement(wanted, wanted)["top5"] == 1
    assert agreement(wanted, wanted)["explained_pooled"] == pytest.approx(1)
    answer = Views(wanted.pooled, wanted.stride16, wanted.grid, far)
    assert agreement(answer, wanted)["top5"] == 0


def test_standardised_features_have_mean_nought_and_deviation_one() -> None:
    seen = Teacher()(squash_batch([draw(number) for number in range(12)], 64))
    standard = Standard()
    standard.measure(seen)
    views = standard(seen)
    assert views.pooled.mean(dim=0) == pytest.approx(np.zeros(1280), abs=1e-4)
    assert views.pooled.std(dim=0).max() <= 1


LITERAL = '{a:!0,b:[!1,null,-.5,1e-3,2],"c-d":{e:"x:{y}",f:3.}}'


def test_a_minified_object_literal_is_read() -> None:
    assert parse_literal(LITERAL) == {
        "a": True,
        "b": [False, None, -0.5, 1e-3, 2],
        "c-d": {"e": "x:{y}", "f": 3},
    }


def _write_model(folder: Path) -> None:
    """Two weights, one of them quantised, over two shards, packed like the package's."""
    weights = [
        '{name:"a",shape:[2,2],dtype:"float32",quantization:{min:-1,scale:.5,dtype:"uint8"}}',
        '{name:"b",shape:[1],dtype:"float32"}',
    ]
    model = (
        "{modelTopology:{x:!0},weightsManifest:[{paths:[],weights:[" + ",".join(weights) + "]}]}"
    )
    (folder / "model.min.js").write_text(
        "!function(){}({1:[function(a,n,i){n.exports=" + model + "},{}]},{},[1])"
    )
    content = bytes([0, 1, 2, 4]) + np.float32(7).tobytes()
    for number, part in enumerate((content[:3], content[3:]), start=1):
        text = base64.b64encode(part).decode()
        (folder / f"group1-shard{number}of2.min.js").write_text(f'n.exports="{text}"')


def test_weights_are_read_from_their_shards_and_dequantised(tmp_path: Path) -> None:
    _write_model(tmp_path)
    weights = read_weights(tmp_path, sha256=None)
    assert weights["a"].tolist() == [[-1, -0.5], [0, 1]]
    assert weights["b"].tolist() == [7]


def test_stages_that_collapsed_begin_anew() -> None:
    network = InceptionV3().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    renew(network, ("Mixed_7c",))
    changed = {n for n, v in network.state_dict().items() if not torch.equal(v, before[n])}
    assert changed
    assert all(n.startswith("Mixed_7c") and n.endswith("conv.weight") for n in changed)


def test_other_weights_than_the_known_ones_are_refused(tmp_path: Path) -> None:
    _write_model(tmp_path)
    with pytest.raises(WeightsError, match="does not carry the weights of nsfwjs"):
        read_weights(tmp_path)


def test_a_log_row_done_twice_counts_once(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        "\n".join(json.dumps({"step": s, "pooled": v}) for s, v in [(1, 3), (2, 2), (2, 1)])
    )
    assert [row["pooled"] for row in plot.read_log(log)] == [3, 1]
