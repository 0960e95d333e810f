"""What pulled files may be: the checkpoint of another network, a trap, damaged. Nothing runs."""

import io
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.vision import tiny
from tests.vision.model_server import ModelServer, serving
from tests.vision.test_versions import Trap
from vision.errors import PullError, VisionError
from vision.eye import load_eye
from vision.pulling import making
from vision.pulling.catalogue import Pullable
from vision.pulling.pulling import Pulling, pull
from vision.pulling.unpickling import convert
from vision.versions import open_version


def _pulling(server: ModelServer, entry: Pullable, models: Path, **options: object) -> Pulling:
    return Pulling(
        models=models,
        base=open_version(),
        mirror=server.address,
        catalogue={entry.name: entry},
        **options,  # type: ignore[arg-type]
    )


def test_a_pull_makes_a_version_that_says_where_it_is_from(tmp_path: Path) -> None:
    steps: list[str] = []
    with serving() as server:
        folder = tiny.write_clip(tmp_path / "remote")
        entry = server.offer(folder, "clip", maker="clip", gives=("embedding", "text"))
        config = _pulling(
            server, entry, tmp_path / "models", progress=lambda step, *_: steps.append(step)
        )
        version = open_version(pull("clip", config))
    source = version.part("embedding")["source"]
    assert source["sha256"] == {file.path: file.sha256 for file in entry.files}
    assert all(file.sha256 in (version.folder / "card.md").read_text() for file in entry.files)
    assert steps[0] == "Fetching clip, file 1 of 3"
    assert steps[-1] == "Making a version of clip"
    assert load_eye(version.folder, device="cpu").version == "clip"
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == [
        ".downloads",
        "clip",
        "pins.json",
    ]
    assert not list((tmp_path / "models" / ".downloads").iterdir())
    with pytest.raises(PullError, match="is here already"):
        pull("clip", config)


def test_a_model_that_does_not_work_is_not_published(tmp_path: Path) -> None:
    """Its files are as the catalogue says; they are just not what they are said to be."""
    with serving() as server:
        folder = tiny.write_siglip(tmp_path / "remote")
        entry = server.offer(folder, "clip", maker="clip", gives=("embedding", "text"))
        config = _pulling(server, entry, tmp_path / "models")
        with pytest.raises(PullError, match="was refused"):
            pull("clip", config)
    assert not (tmp_path / "models" / "clip").exists()
    assert not list(config.downloads.iterdir())


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(PullError, match="There are: blip-base, clip-vit-b-32, inception-v3"):
        pull("resnet", Pulling(models=tmp_path, base=open_version()))


def test_without_the_optional_packages_nothing_is_fetched_and_their_name_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with serving() as server:
        (tmp_path / "remote").mkdir()
        (tmp_path / "remote" / "config.json").write_text("{}")
        entry = server.offer(tmp_path / "remote", "clip", maker="clip", gives=("embedding",))
        with pytest.raises(VisionError, match=r"transformers: pip install -r requirements-strong"):
            pull("clip", _pulling(server, entry, tmp_path / "models"))
        assert server.asked == []


def _saved(value: object, path: Path) -> Path:
    torch.save(value, path)
    return path


def test_tensors_of_a_pickle_come_out_as_safetensors(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    weight = torch.arange(6.0).reshape(2, 3)
    convert(_saved({"fc.weight": weight}, tmp_path / "w.pth"), tmp_path / "w.safetensors")
    assert torch.equal(load_file(tmp_path / "w.safetensors")["fc.weight"], weight)


def _bare_trap(path: Path, sprung: Path) -> None:
    path.write_bytes(pickle.dumps({"fc.weight": Trap(sprung)}))


def _zipped_trap(path: Path, sprung: Path) -> None:
    """A trap inside of what is otherwise a checkpoint of today's format."""
    whole = io.BytesIO()
    torch.save({"fc.weight": torch.zeros(2)}, whole)
    with zipfile.ZipFile(whole) as good, zipfile.ZipFile(path, "w") as bad:
        for name in good.namelist():
            is_pickle = name.endswith("data.pkl")
            bad.writestr(name, pickle.dumps(Trap(sprung)) if is_pickle else good.read(name))


def _truncated(path: Path, sprung: Path) -> None:
    _saved({"fc.weight": torch.zeros(5000)}, path)
    path.write_bytes(path.read_bytes()[:-9000])


@pytest.mark.parametrize("write", [_bare_trap, _zipped_trap, _truncated])
def test_a_pickle_of_anything_but_tensors_is_refused_and_runs_nothing(
    tmp_path: Path, write: Callable[[Path, Path], None]
) -> None:
    sprung = tmp_path / "sprung"
    write(tmp_path / "w.pth", sprung)
    with pytest.raises(PullError, match=r"w.pth was refused: it is not a checkpoint"):
        convert(tmp_path / "w.pth", tmp_path / "w.safetensors")
    assert not sprung.exists()
    assert not (tmp_path / "w.safetensors").exists()


def test_a_pickle_whose_hash_is_another_is_never_opened(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    (tmp_path / "remote").mkdir()
    with serving() as server:
        path = tmp_path / "remote" / "inception.pth"
        path.write_bytes(b"x" * 300)
        entry = server.offer(path.parent, "inc", maker="inception-v3", gives=("backbone",))
        _bare_trap(path, sprung)
        server.files["/inc/inception.pth"] = path.read_bytes().ljust(300, b"\0")[:300]
        with pytest.raises(PullError, match="removed unopened"):
            pull("inc", _pulling(server, entry, tmp_path / "models"))
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"weight": torch.zeros(3, 3), "bias": torch.zeros(2)}, r"shape \(3, 3\) instead"),
        ({"weight": torch.zeros(2, 3)}, "look at: bias"),
        ({"weight": torch.full((2, 3), torch.nan), "bias": torch.zeros(2)}, "not a number"),
        ({"weight": torch.full((2, 3), torch.inf), "bias": torch.zeros(2)}, "not a number"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_with_the_reason(
    tmp_path: Path, state: dict[str, torch.Tensor], reason: str
) -> None:
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(PullError, match=reason):
        making._fill(nn.Linear(3, 2), tmp_path / "w.safetensors", "w.pth")
