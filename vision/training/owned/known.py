"""Carry the lines of known words into an embedding that was taught.

A line says of an embedding how probable its word is; of a taught embedding it would say something
else. So each line is moved as little as makes it say of the taught embedding of a photo what it
said of the old one: least squares over the owner's photos, held at the old line (ridge).
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

import vision.eye  # noqa: F401  registers the heads
from vision.backbones.base import Features
from vision.heads import EMBEDDERS
from vision.training.publish import Draft
from vision.versions import Version

Rows = NDArray[np.float32]

# Of the squared residuals, against a line's squared change: a photo or two's worth.
HOLD = 1.0


def carry_known_words(
    base: Version, draft: Draft, photos: Iterable[Features], *, work: Path
) -> float | None:
    """Give the draft lines for its own embedding; the mean error of their log-odds on `photos`,
    which have the base's embeddings. None for a base without known words."""
    spec = base.parts.get("known")
    head = draft.parts["embedding"]
    file = base.part("embedding")["file"]
    if not spec or spec["embedding"] != base.manifest["files"][file]["sha256"]:
        return None
    embed = EMBEDDERS[head["name"]](draft.trial(work / "trial-known"), head, "cpu")
    pairs = [(features.embeddings, embed(features)) for features in photos]
    old = np.concatenate([old for old, _ in pairs if old is not None])
    new = np.concatenate([new for _, new in pairs])
    arrays = base.arrays(spec["file"])
    lines = arrays["lines"].astype(np.float32)
    moved = carried(lines, old, new)
    # Forms are as they were; safetensors needs arrays that lie in one piece.
    half = np.ascontiguousarray(moved, np.float16)
    save_file({**arrays, "lines": half}, draft.folder / spec["file"])
    taught = hashlib.sha256((draft.folder / head["file"]).read_bytes()).hexdigest()
    draft.parts["known"] = spec | {"embedding": taught}
    return float(np.abs(new @ moved.T - old @ lines.T).mean())


def carried(lines_WD: Rows, old_ND: Rows, new_ND: Rows) -> Rows:
    """Lines (W, D) that say of the rows of `new_ND` what `lines_WD` say of those of `old_ND`."""
    wanted_NW = (old_ND - new_ND) @ lines_WD.T
    square_DD = new_ND.T @ new_ND + HOLD * np.eye(new_ND.shape[1], dtype=np.float32)
    change_DW = np.linalg.solve(square_DD, new_ND.T @ wanted_NW)
    return (lines_WD + change_DW.T).astype(np.float32)
