"""The network that scores a photo for a query: one small hidden layer over the features.

    score = fused log-odds + tanh((x - mean) / scale · W + b) · v

With v = 0 it is the order that all signals gave together, which is where learning begins: so it
learns in which way people's choices differ from that order, and nothing where they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.errors import RankerDamaged
from search.ranker.features import FUSED, Matrix, aligned

HIDDEN = 16
FORMAT = 1

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Network:
    """Weights over the features `names`: mean, scale (f,); hidden (f, h); bias, out (h,)."""

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    hidden: Floats
    bias: Floats
    out: Floats

    @classmethod
    def beginning(cls, names: Sequence[str], values: Matrix, *, seed: int) -> Network:
        """Before it has learned anything; `values` (n, f) say how features are spread."""
        generator = np.random.default_rng(seed)
        spread = values.std(axis=0, dtype=np.float64)
        return cls(
            names=tuple(names),
            mean=values.mean(axis=0, dtype=np.float64),
            scale=np.where(spread > 1e-3, spread, 1.0),
            hidden=generator.normal(0.0, 1.0 / np.sqrt(len(names)), (len(names), HIDDEN)),
            bias=np.zeros(HIDDEN),
            out=np.zeros(HIDDEN),
        )

    def score(self, names: Sequence[str], values: Matrix) -> Floats:
        """Scores (n,) of `values` (n, f) of features `names`, in whatever order those come."""
        wanted = aligned(names, values, self.names)
        return fused(names, values) + self.activations(wanted) @ self.out

    def activations(self, values: Matrix) -> Floats:
        """The hidden layer (n, h) over `values` (n, f) in the order of its own features."""
        return np.tanh(self.standardised(values) @ self.hidden + self.bias)

    def standardised(self, values: Matrix) -> Floats:
        return np.clip((values - self.mean) / self.scale, -5.0, 5.0)

    def as_json(self) -> dict[str, Any]:
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {"format": FORMAT, "names": list(self.names), **arrays}

    @classmethod
    def from_json(cls, read: Any) -> Network:
        """Raises `RankerDamaged` unless every array is there, finite and of the right shape."""
        try:
            if read["format"] != FORMAT:
                raise RankerDamaged(f"The ranker has the format {read['format']!r}.")
            names = tuple(str(name) for name in read["names"])
            arrays = {name: np.array(read[name], np.float64) for name in _ARRAYS}
        except (KeyError, TypeError, ValueError) as error:
            raise RankerDamaged(f"The ranker's file cannot be read: {error!r}.") from error
        width = arrays["out"].size
        shapes = [(len(names),), (len(names),), (len(names), width), (width,), (width,)]
        are_right = [array.shape for array in arrays.values()] == shapes
        if not are_right or not all(np.isfinite(array).all() for array in arrays.values()):
            raise RankerDamaged("The ranker's weights do not fit together.")
        return cls(names, **arrays)


def mean_of(networks: Sequence[Network]) -> Network:
    """One network that scores as these do in the mean. They share features, mean and scale."""
    return replace(
        networks[0],
        hidden=np.hstack([each.hidden for each in networks]),
        bias=np.concatenate([each.bias for each in networks]),
        out=np.concatenate([each.out for each in networks]) / len(networks),
    )


_ARRAYS = ("mean", "scale", "hidden", "bias", "out")


def fused(names: Sequence[str], values: Matrix) -> Floats:
    """The order that all signals gave together, as scores (n,)."""
    return values[:, list(names).index(FUSED)].astype(np.float64)
