"""Looking at photos: the product's Eye beside the network as PyPI gives it, eager fp32 in torch.

Both sides do the same on the same squashed photos: a pass of the backbone feeding the same heads.
Captions take most of the time that is left, so they are also left out (`without_captions`) and
timed alone; `backbone` compares the passes without any head, those over photos that deserve a
second look in float included, `first_pass` leaves these out. Photos are those of --data, else
drawn; with --data, `agreement` tells whether people see the same: the share of photos with the
same tags, and text -> image recall@10 of the photos by their captions.

`files` starts from JPEG files of 12 megapixels. Its bound is the slower of decoding alone and of
the network at the rate at which the device multiplies large matrices. --device takes a GPU.
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

from vision.collection import Collection, decode
from vision.pixels import squash_batch
from webapp.library.benchmarks._photos import write_photo
from webapp.teach.versions.folders import folder_to_measure
from webapp.terminal import table as text_table

if TYPE_CHECKING:
    from vision.backbones.base import Features
    from vision.eye import Eye
    from vision.sight import Sight

Batch = NDArray[np.uint8]  # (B, size, size, 3)
DRAWN_SIZE = (640, 480)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--photos", type=int, default=64, help="how many; default: 64")
    parser.add_argument("--batch", type=int, default=16, help="photos a pass; default: 16")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a folder as evaluate takes it")
    parser.add_argument("--split", metavar="NAME", help="default: as of evaluate")
    parser.add_argument("--device", default="cpu", help="torch's name of one, such as cuda")
    parser.add_argument(
        "--files", type=int, default=16, help="JPEG files to start from; default: 16"
    )


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    from vision.eye import load_eye
    from webapp.teach.benchmarks._eager import eager_eye

    ours = load_eye(folder_to_measure(), device=options["device"])
    baseline = eager_eye(ours, device=options["device"])
    data = options["data"]
    split = Collection(data).split_to_measure(options["split"]) if data else ""
    names, photos = _photos(data, split, options["photos"], ours.input_size)
    batches = [photos[at : at + options["batch"]] for at in range(0, len(photos), options["batch"])]
    seen: dict[str, list[Sight]] = {"baseline": [], "ours": []}
    look = {
        "baseline": _rate(_looking(baseline, seen["baseline"]), batches),
        "ours": _rate(_looking(ours, seen["ours"]), batches),
    }
    seen = {side: sights[-len(photos) :] for side, sights in seen.items()}  # without the warm-up
    return {
        **_with_ratio(look),
        "without_captions": _compared(_describing(baseline), _describing(ours), batches),
        "backbone": _with_ratio(
            {
                "baseline": _rate(baseline.backbone, batches),
                "ours": _rate(_passes(ours, batches), range(len(batches)), photos=len(photos)),
            }
        ),
        "first_pass": {"ours": _rate(ours.backbone, batches)},
        "looked_at_twice": _looked_at_twice(ours, batches),
        "captions": {"ours": _rate(ours.caption, [_to_caption(ours, each) for each in batches])},
        "agreement": {
            "top1": _same_class(baseline, ours, batches),
            **_agreement(seen["baseline"], seen["ours"]),
            **_recall(data, split, names, seen, ours),
        },
        "files": _files(ours, options) if options["files"] else {},
        "photos": len(photos),
        "batch": options["batch"],
        "version": ours.version,
    }


def table(figures: Mapping[str, Any]) -> str:
    parts = {
        "look, photos/s": figures,
        "without captions, photos/s": figures["without_captions"],
        "passes of the backbone, photos/s": figures["backbone"],
    }
    rows = [
        (name, f"{part['baseline']:.1f}", f"{part['ours']:.1f}", f"{part['ratio']:.1f}x")
        for name, part in parts.items()
    ]
    rows.append(("first pass alone, photos/s", "", f"{figures['first_pass']['ours']:.1f}", ""))
    rows.append(("looked at twice", "", f"{figures['looked_at_twice']:.0%}", ""))
    rows.append(("captions alone, photos/s", "", f"{figures['captions']['ours']:.1f}", ""))
    agreement = _agreement_table(figures["agreement"])
    if files := figures["files"]:
        rows.append(("from JPEG files, photos/s", "", f"{files['ours']:.1f}", ""))
        rows.append(("bound by decoding", "", f"{files['decoding_bound']:.1f}", ""))
        rows.append(("bound by arithmetic", "", f"{files['arithmetic_bound']:.1f}", ""))
    return (
        f"{text_table(['', 'eager fp32', figures['version'], 'ratio'], rows)}\n\n"
        f"On {figures['photos']} photos, eager and product agree:\n{agreement}"
    )


def _agreement_table(agreement: Mapping[str, Any]) -> str:
    words = {
        "tags": "the same tags",
        "tag_overlap": "tags in common (Jaccard)",
        "caption": "the same caption",
        "top1": "the same first class of 1,000",
        "embedding_cosine": "cosine of the embeddings",
    }
    rows = [(words[name], f"{agreement[name]:.3f}") for name in words]
    if recall := agreement.get("recall@10"):
        rows.append(
            ("recall@10 eager / product", f"{recall['baseline']:.3f} / {recall['ours']:.3f}")
        )
    return text_table(["", ""], rows)


def _photos(data: Path | None, split: str, number: int, size: int) -> tuple[list[str], Batch]:
    """Names of photos, and the photos squashed to (number, size, size, 3)."""
    if data is not None:
        named = list(islice(Collection(data).photos(split), number))
        return [name for name, _ in named], squash_batch([image for _, image in named], size)
    with TemporaryDirectory() as folder:
        paths = [
            write_photo(Path(folder) / f"{seed}.jpg", seed=seed, size=DRAWN_SIZE)
            for seed in range(number)
        ]
        images = [decode(path.read_bytes()) for path in paths]
        return [path.name for path in paths], squash_batch(images, size)


def _files(eye: "Eye", options: Mapping[str, Any]) -> dict[str, float]:
    """Photos a second from JPEG files on, and the bounds."""
    import torch

    from webapp.teach.benchmarks import _bounds

    device = options["device"]
    with TemporaryDirectory() as folder:
        paths = [
            write_photo(Path(folder) / f"{seed}.jpg", seed=seed) for seed in range(options["files"])
        ]
        decoding = _bounds.decoding_rate(paths, size=eye.input_size)
        rate = _bounds.files_rate(eye, paths, batch=options["batch"])
    gflop = _bounds.gflop_a_photo()
    gflops = _bounds.matrix_gflops(device, torch.float32 if device == "cpu" else torch.bfloat16)
    return {
        "ours": rate,
        "decoding_bound": decoding,
        "gflop_a_photo": gflop,
        "matrix_gflops": gflops,
        "arithmetic_bound": gflops / gflop,
    }


def _looking(eye: "Eye", seen: "list[Sight]") -> Callable[[Batch], object]:
    """Look, and keep what was seen."""
    return lambda batch: seen.extend(eye.look(list(batch)))


def _to_caption(eye: "Eye", batch: Batch) -> "Features":
    """What captions are made from."""
    return eye.embedded(eye.backbone(batch))


def _describing(eye: "Eye") -> Callable[[Batch], object]:
    """A pass with embedding and tags, without captions."""
    return lambda batch: eye.tag(eye.see(list(batch)))


def _worth(eye: "Eye", batch: Batch) -> NDArray[np.integer]:
    """The numbers of the photos that get a second look."""
    if eye.closer is None:
        return np.empty(0, np.int64)
    return eye.closer.worth(eye.embedded(eye.features(list(batch))))


def _looked_at_twice(eye: "Eye", batches: Sequence[Batch]) -> float:
    """The share of photos that get a second look."""
    return sum(len(_worth(eye, batch)) for batch in batches) / sum(map(len, batches))


def _passes(eye: "Eye", batches: Sequence[Batch]) -> Callable[[int], object]:
    """Both passes over the batch of a number, without any head; what deserves a second look is
    known beforehand."""
    again = [batch[_worth(eye, batch)] for batch in batches]

    def run(number: int) -> None:
        eye.backbone(batches[number])
        if eye.closer is not None and len(again[number]):
            eye.closer.backbone(again[number])

    return run


def _rate(
    do: Callable[[Any], object], batches: Sequence[Any], *, photos: int | None = None
) -> float:
    """Photos a second, the first batch being done once more beforehand to warm up."""
    do(batches[0])
    started = time.perf_counter()
    for batch in batches:
        do(batch)
    taken_s = time.perf_counter() - started
    return (sum(map(len, batches)) if photos is None else photos) / taken_s


def _compared(
    baseline: Callable[[Batch], object], ours: Callable[[Batch], object], batches: Sequence[Batch]
) -> dict[str, float]:
    return _with_ratio({"baseline": _rate(baseline, batches), "ours": _rate(ours, batches)})


def _with_ratio(rates: Mapping[str, float]) -> dict[str, float]:
    return {**rates, "ratio": rates["ours"] / rates["baseline"]}


def _same_class(baseline: "Eye", ours: "Eye", batches: Sequence[Batch]) -> float:
    """The share of photos that both backbones give the same first of 1,000 classes."""
    first, second = (
        np.concatenate([eye.backbone(batch).logits.argmax(axis=1) for batch in batches])
        for eye in (baseline, ours)
    )
    return float((first == second).mean())


def _agreement(baseline: "list[Sight]", ours: "list[Sight]") -> dict[str, float]:
    """How far people see the same: means over all photos, between 0 and 1."""
    pairs = list(zip(baseline, ours, strict=True))
    tags = [({tag for tag, _ in one.tags}, {tag for tag, _ in other.tags}) for one, other in pairs]
    return {
        "tags": float(np.mean([one == other for one, other in tags])),
        "tag_overlap": float(np.mean([_jaccard(one, other) for one, other in tags])),
        "embedding_cosine": float(np.mean([a.embedding @ b.embedding for a, b in pairs])),
        "caption": float(np.mean([one.caption == other.caption for one, other in pairs])),
    }


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0


def _recall(
    data: Path | None,
    split: str,
    names: Sequence[str],
    seen: "Mapping[str, list[Sight]]",
    eye: "Eye",
) -> dict[str, dict[str, float]]:
    """text -> image recall@10 of these photos by their captions, where there are captions."""
    if data is None or not set(names) & Collection(data).captions_if_any(split).keys():
        return {}
    from vision.evaluation.retrieval import retrieval
    from vision.text_encoder import load_text_encoder

    text_encoder = load_text_encoder(folder_to_measure())
    recall = {}
    for side, sights in seen.items():
        named = list(zip(names, sights, strict=True))
        figures = retrieval(data, split, eye=eye, text_encoder=text_encoder, seen=named)
        recall[side] = figures["text_to_image"]["recall@10"]
    return {"recall@10": recall}
