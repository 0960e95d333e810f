"""What a sentence is about, as a sum over its words: by it the search embedding judges captions.

The text encoder itself would cost a caption as much as the whole look at a photo. Words alone say
nearly as much: trained to end where the encoder does (`vision.training.captions.gists`), their sum
chooses among a beam's sentences as well as the encoder would (CIDEr-D on Flickr8k's development
split 0.534 without, 0.574 with either).

Shapes: P photos, W sentences of each, T words, V words of the language, D embedding width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision.backbones.base import Features
from vision.heads.loading import load_weights
from vision.sight import EMBED_DIM
from vision.versions import Version


class Gist(nn.Module):
    """Words (..., T) -> unit vectors (..., D). The first `special` words count nothing."""

    def __init__(self, words: int, *, special: int, dim: int = EMBED_DIM) -> None:
        super().__init__()
        self.special = special
        self.vectors = nn.Parameter(torch.zeros(words, dim))
        self.start = nn.Parameter(torch.zeros(dim))

    def forward(self, words: Tensor) -> Tensor:
        spoken = (words >= self.special)[..., None]
        summed = (functional.embedding(words.clamp(min=0), self.vectors) * spoken).sum(dim=-2)
        return functional.normalize(summed + self.start, dim=-1)


@dataclass(frozen=True, slots=True)
class Judge:
    """How well sentences fit their photos, whose embeddings, unit vectors, are `photos`.

    `weight` is what a cosine of 1 adds to a sentence's score.
    """

    gist: Gist
    photos: Tensor  # (P, D)
    weight: float

    def scores(self, words_PWT: Tensor, photos_P: Tensor) -> Tensor:
        """(P, W) what is added for sentences of the photos numbered `photos_P`."""
        cosines_PW = torch.einsum("pwd,pd->pw", self.gist(words_PWT), self.photos[photos_P])
        return self.weight * cosines_PW


@dataclass(frozen=True, slots=True)
class Judges:
    """The gists of a version's languages; without any, nobody judges."""

    gists: Mapping[str, Gist]
    weight: float

    def of(self, language: str, features: Features) -> Judge | None:
        """None for a language without a gist, or where photos have no embeddings."""
        gist, embeddings = self.gists.get(language), features.embeddings
        if gist is None or embeddings is None:
            return None
        photos_PD = torch.from_numpy(embeddings).to(gist.vectors.device)
        return Judge(gist, photos_PD, self.weight)


NOBODY = Judges({}, 0.0)


def load_judges(
    version: Version, spec: dict[str, Any], special: Mapping[str, int], device: str
) -> Judges:
    """What a captioner's specification says of judging; `special` counts each language's words
    that are never said.

    Photos and sentences must share a space: once another text side took the place of the one that
    the gists were learned from, they say nothing, and nobody judges.
    """
    judging = spec.get("judging")
    texts = version.manifest["files"].get(version.parts.get("text", {}).get("onnx"), {})
    if judging is None or texts.get("sha256") != judging["texts"]:
        return NOBODY
    sizes: dict[str, int] = spec["config"]["vocabularies"]
    gists = nn.ModuleDict({k: Gist(n, special=special[k]) for k, n in sizes.items()})
    loaded = load_weights(gists, version, spec["gists"], device=device)
    return Judges({code: loaded.get_submodule(code) for code in sizes}, judging["weight"])  # type: ignore[misc]
