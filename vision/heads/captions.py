"""The first caption decoder: CNN grid -> LSTM with attention over the grid, English only.

Versions up to lite2-2026.11 have it; `vision.heads.polyglot` is what training makes today. The
LSTM starts from the pooled photo and reads words; its state then asks the grid where to look, and
both together name the next word. Source: Lu et al. 2017, "Knowing When to Look"
(arXiv:1612.01887), with multi-head attention and without the sentinel.
"""

import json
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vision.backbones.base import Features
from vision.heads import CAPTIONERS, Captioned
from vision.heads.beam import BeamConfig, beam_search
from vision.heads.loading import load_weights
from vision.heads.speaking import Seen, Speaker
from vision.processor import multiplies_bfloat16
from vision.versions import Version


@dataclass(frozen=True, slots=True)
class CaptionConfig:
    """Sizes of the decoder; `vocabulary` counts words and special tokens."""

    vocabulary: int
    grid: int = 352
    cells: int = 81
    pooled: int = 1280
    word: int = 256
    hidden: int = 512
    attention: int = 256
    heads: int = 4


class CaptionDecoder(nn.Module):
    """The weights, and what a photo looks like to them.

    Shapes: P photos, N cells, C grid channels, F pooled channels.
    """

    def __init__(self, config: CaptionConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.word)
        self.start = nn.Linear(config.pooled, 2 * config.hidden)
        self.memory = nn.Linear(config.grid, 2 * config.attention)
        self.places = nn.Parameter(torch.zeros(config.cells, config.attention))
        self.lstm = nn.LSTM(config.word, config.hidden, batch_first=True)
        self.query = nn.Linear(config.hidden, config.attention)
        self.mix = nn.Linear(config.hidden + config.attention, config.word)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))

    @torch.inference_mode()
    def look(self, grid_PNC: Tensor, pooled_PF: Tensor) -> Seen:
        """What of each photo every step needs."""
        keys_PND, values_PND = self.memory(grid_PNC).chunk(2, dim=-1)
        hidden_PH, cell_PH = torch.tanh(self.start(pooled_PF)).chunk(2, dim=-1)
        return Seen(keys_PND + self.places, values_PND, (hidden_PH, cell_PH))

    def speaker(self, *, fast: bool = False) -> Speaker:
        return Speaker(
            words=self.words.weight,
            bias=self.bias,
            lstm=self.lstm,
            query=self.query,
            mix=self.mix,
            heads=self.config.heads,
            fast=fast,
        )


@CAPTIONERS.register("lstm-attention")
class LstmCaptioner:
    """The caption decoder of a version: features in, English captions out."""

    def __init__(self, version: Version, spec: dict[str, Any], device: str) -> None:
        self.device = device
        decoder = CaptionDecoder(CaptionConfig(**spec["config"]))
        self.decoder = load_weights(decoder, version, spec["file"], device=device)
        self.speaker = self.decoder.speaker(fast=multiplies_bfloat16())
        self.vocabulary: list[str] = json.loads(version.text(spec["vocabulary"]))
        self.beam = BeamConfig(**{**spec["beam"], "forbidden": tuple(spec["beam"]["forbidden"])})
        self.confidence: dict[str, float] = spec["confidence"]

    def __call__(self, features: Features) -> list[Captioned]:
        """One caption a photo; without full stop, first letter capital."""
        grid_BNC = torch.from_numpy(features.grid).flatten(1, 2).to(self.device)
        pooled_BP = torch.from_numpy(features.pooled).to(self.device)
        found = beam_search(self.speaker, self.decoder.look(grid_BNC, pooled_BP), self.beam)
        return [
            Captioned(as_sentence(self.vocabulary, words), self._confidence(gains), {})
            for words, gains in found
        ]

    def _confidence(self, gains: list[float]) -> float:
        """How likely it is that a word of the caption that names something is right."""
        slope, offset = self.confidence["slope"], self.confidence["offset"]
        mean = sum(gains) / len(gains)
        return float(torch.sigmoid(torch.tensor(slope * mean + offset)))


def as_sentence(vocabulary: list[str], words: list[int]) -> str:
    """The words in the order said, the first letter capital."""
    sentence = " ".join(vocabulary[word] for word in words)
    return sentence[:1].upper() + sentence[1:]
