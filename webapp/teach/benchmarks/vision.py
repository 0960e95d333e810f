"""Looking at photos: the product's Eye beside the network as PyPI gives it, eager fp32 in torch.

Both sides do the same on the same squashed photos: a pass of the backbone feeding the same heads.
`backbone` compares the passes alone, without heads. Photos are those of --data, else drawn.
"""

import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vision.collection import Collection, decode, read_tar
from vision.pixels import squash_batch
from webapp.library.benchmarks._photos import write_photo
from webapp.tables import table as text_table
from webapp.teach.versions import folder_to_measure

if TYPE_CHECKING:
    from vision.eye import Eye

Batch = NDArray[np.uint8]  # (B, size, size, 3)
DRAWN_SIZE = (640, 480)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--photos", type=int, default=64, help="how many; default: 64")
    parser.add_argument("--batch", type=int, default=16, help="photos a pass; default: 16")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a folder with dev*.tar")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    from vision.eye import load_eye
    from webapp.teach.benchmarks._eager import eager_eye

    ours = load_eye(folder_to_measure(), device="cpu")
    baseline = eager_eye(ours)
    photos = _photos(options["data"], options["photos"], ours.input_size)
    batches = [photos[at : at + options["batch"]] for at in range(0, len(photos), options["batch"])]
    look = {"baseline": _rate(_looking(baseline), batches), "ours": _rate(_looking(ours), batches)}
    passes = {"baseline": _rate(baseline.backbone, batches), "ours": _rate(ours.backbone, batches)}
    return {
        **_with_ratio(look),
        "backbone": _with_ratio(passes),
        "agreement": _agreement(baseline, ours, batches),
        "photos": len(photos),
        "batch": options["batch"],
        "version": ours.version,
    }


def table(figures: Mapping[str, Any]) -> str:
    rows = [
        (name, f"{part['baseline']:.1f}", f"{part['ours']:.1f}", f"{part['ratio']:.1f}x")
        for name, part in {"look, photos/s": figures, "pass, photos/s": figures["backbone"]}.items()
    ]
    agreement = figures["agreement"]
    return (
        f"{text_table(['', 'eager fp32', figures['version'], 'ratio'], rows)}\n\n"
        f"Same first class of 1,000: {agreement['top1']:.3f}; "
        f"cosine of embeddings: {agreement['embedding_cosine']:.3f}; "
        f"same caption: {agreement['caption']:.3f} ({figures['photos']} photos)."
    )


def _photos(data: Path | None, number: int, size: int) -> Batch:
    if data is not None:
        images = (image for path in Collection(data).archives("dev") for _, image in read_tar(path))
        return squash_batch(list(islice(images, number)), size)
    with TemporaryDirectory() as folder:
        paths = (
            write_photo(Path(folder) / "photo.jpg", seed=seed, size=DRAWN_SIZE)
            for seed in range(number)
        )
        return squash_batch([decode(path.read_bytes()) for path in paths], size)


def _looking(eye: "Eye") -> Callable[[Batch], object]:
    return lambda batch: eye.look(list(batch))


def _rate(do: Callable[[Batch], object], batches: Sequence[Batch]) -> float:
    """Photos a second, the first batch being done once more beforehand to warm up."""
    do(batches[0])
    started = time.perf_counter()
    for batch in batches:
        do(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started)


def _with_ratio(rates: Mapping[str, float]) -> dict[str, float]:
    return {**rates, "ratio": rates["ours"] / rates["baseline"]}


def _agreement(baseline: "Eye", ours: "Eye", batches: Sequence[Batch]) -> dict[str, float]:
    """How far the fast network sees the same: means over all photos, between 0 and 1."""
    top1, cosine, caption = [], [], []
    for batch in batches:
        first, second = (eye.backbone(batch).logits.argmax(axis=1) for eye in (baseline, ours))
        top1 += list(first == second)
        pairs = zip(baseline.look(list(batch)), ours.look(list(batch)), strict=True)
        for one, other in pairs:
            cosine.append(float(one.embedding @ other.embedding))
            caption.append(one.caption == other.caption)
    return {
        "top1": float(np.mean(top1)),
        "embedding_cosine": float(np.mean(cosine)),
        "caption": float(np.mean(caption)),
    }
