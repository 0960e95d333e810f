"""Version folders whose classifier is not what it should be."""

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

FILE, LABELS = "classifier-pets.safetensors", "classifier-pets.labels.json"
Poison = Callable[[Path], None]


class Touches:
    """Unpickled, it makes a file: nothing of the kind may ever be opened."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.place,))


def manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def part(folder: Path, **changes: object) -> None:
    manifest(folder, lambda content: content["parts"]["classifier:pets"].update(changes))


def replaced(folder: Path, file: str, data: bytes) -> None:
    """A file with other content, which the manifest knows by its hash."""
    (folder / file).write_bytes(data)
    listed = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest(folder, lambda content: content["files"].update({file: listed}))


def arrays(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = dict(load((folder / FILE).read_bytes()))
    change(content)
    replaced(folder, FILE, save(content))


def labels(folder: Path, content: object) -> None:
    replaced(folder, LABELS, json.dumps(content).encode())


def pickled(folder: Path) -> bytes:
    return pickle.dumps(Touches(folder.parent / "touched"))


def not_finite(value: float) -> Poison:
    return lambda folder: arrays(folder, lambda content: content["out.weight"].fill(value))


def out_by_link(folder: Path) -> None:
    """The weights are a link out of the folder, to a file of another content."""
    (folder.parent / "secret").write_text("secret")
    (folder / FILE).unlink()
    (folder / FILE).symlink_to(folder.parent / "secret")


def pickle_beside(folder: Path) -> None:
    (folder / "weights.pkl").write_bytes(pickled(folder))


def altered(folder: Path) -> None:
    data = bytearray((folder / FILE).read_bytes())
    data[-1] ^= 1
    (folder / FILE).write_bytes(data)


def unlisted(folder: Path) -> None:
    manifest(folder, lambda content: content["files"].pop(FILE))


POISONS: dict[str, Poison] = {
    "pickle_as_weights": lambda folder: replaced(folder, FILE, pickled(folder)),
    "pickle_as_labels": lambda folder: replaced(folder, LABELS, pickled(folder)),
    "pickle_named": lambda folder: part(folder, file="weights.pkl"),
    "torch_named": lambda folder: part(folder, file="weights.pt"),
    "pickle_beside": pickle_beside,
    "altered": altered,
    "missing": lambda folder: (folder / FILE).unlink(),
    "unlisted": unlisted,
    "empty": lambda folder: replaced(folder, FILE, b""),
    "cut": lambda folder: replaced(folder, FILE, (folder / FILE).read_bytes()[:100]),
    "huge_header": lambda folder: replaced(folder, FILE, b"\xff" * 8 + b"{}"),
    "nan": not_finite(float("nan")),
    "infinite": not_finite(float("inf")),
    "too_few_arrays": lambda folder: arrays(folder, lambda content: content.pop("middles")),
    "one_array_more": lambda folder: arrays(
        folder, lambda content: content.update(more=np.zeros(3, np.float32))
    ),
    "wrong_shape": lambda folder: arrays(
        folder, lambda content: content.update({"out.weight": np.zeros((2, 2), np.float32)})
    ),
    "out_by_link": out_by_link,
    "out_by_name": lambda folder: part(folder, file="../secret.safetensors"),
    "absolute_name": lambda folder: part(folder, labels="/etc/passwd"),
    "labels_no_list": lambda folder: labels(folder, {"cat": 1}),
    "labels_numbers": lambda folder: labels(folder, [1, 2]),
    "labels_twice": lambda folder: labels(folder, ["cat", "cat"]),
    "labels_too_many": lambda folder: labels(folder, ["cat", "dog", "cow"]),
    "labels_none": lambda folder: labels(folder, []),
    "labels_long": lambda folder: labels(folder, ["cat", "x" * 81]),
    "labels_control": lambda folder: labels(folder, ["cat", "d\x00g\n"]),
    "labels_turned": lambda folder: labels(folder, ["cat", "\u202egod"]),
    "config_none": lambda folder: part(folder, config=None),
    "config_words": lambda folder: part(folder, config={"width": "wide", "classes": 2}),
    "config_more": lambda folder: part(folder, config={"width": 1400, "classes": 2, "code": 1}),
    "config_huge": lambda folder: part(folder, config={"width": 2**40, "classes": 2}),
    "config_negative": lambda folder: part(
        folder, config={"width": 1400, "classes": 2, "hidden": -1}
    ),
    "unknown_kind": lambda folder: part(folder, name="os.system"),
}
