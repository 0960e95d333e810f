"""A caption decoder: CNN grid -> LSTM with attention over the grid, beam search.

The LSTM starts from the pooled photo and reads words; its state then asks the grid where to look,
and both together name the next word. As attention comes after the LSTM, a training step runs the
whole sentence at once. Source: Lu et al. 2017, "Knowing When to Look" (arXiv:1612.01887), with
multi-head attention and without the sentinel.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision.backbones.base import Features
from vision.heads import CAPTIONERS, Captioned
from vision.heads.beam import BeamConfig, beam_search
from vision.heads.loading import load_weights
from vision.versions import Version

# The first rows of the vocabulary. START_* tells the decoder in whose manner to write, so that
# collections with different habits can be learned together.
END, UNKNOWN, START_FLICKR8K, START_COCO_WIDE = range(4)
SPECIAL = ("<end>", "<unknown>", "<flickr8k>", "<coco_wide>")

State = tuple[Tensor, Tensor]


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

    def to_json(self) -> dict[str, int]:
        return asdict(self)


class CaptionDecoder(nn.Module):
    """Next-word logits from a photo's grid and the words so far.

    Shapes: P photos, B sentences (B / P of each photo, photo by photo), T words, N cells, C grid
    channels, D attention width, V words.
    """

    def __init__(self, config: CaptionConfig, *, dropout: float = 0.0) -> None:
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
        self.dropout = nn.Dropout(dropout)
        # Words name inputs and outputs; at PyTorch's deviation of 1 the first logits are huge.
        nn.init.normal_(self.words.weight, std=config.word**-0.5)

    def look(self, grid_PNC: Tensor, pooled_PF: Tensor) -> tuple[Tensor, Tensor, State]:
        """What of a photo every step needs: keys and values (P, N, D), and the first state."""
        keys_PND, values_PND = self.memory(grid_PNC).chunk(2, dim=-1)
        hidden_PH, cell_PH = torch.tanh(self.start(pooled_PF)).chunk(2, dim=-1)
        return keys_PND + self.places, values_PND, (hidden_PH[None], cell_PH[None])

    def step(
        self, words_BT: Tensor, keys_PND: Tensor, values_PND: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """Logits (B, T, V) of the word after each of `words_BT`, and the state after the last.

        `state` is (1, B, hidden): repeat the first state for each sentence of a photo.
        """
        state = (state[0].contiguous(), state[1].contiguous())
        hidden_BTH, state = self.lstm(self.dropout(self.words(words_BT)), state)
        seen_BTD = self._attend(self.query(hidden_BTH), keys_PND, values_PND)
        mixed_BTW = torch.tanh(self.mix(self.dropout(torch.cat([hidden_BTH, seen_BTD], dim=-1))))
        return self.dropout(mixed_BTW) @ self.words.weight.T + self.bias, state

    def _attend(self, query_BTD: Tensor, keys_PND: Tensor, values_PND: Tensor) -> Tensor:
        # Sentences of one photo ask the same cells, so they ask together.
        query_PQD = query_BTD.reshape(len(keys_PND), -1, query_BTD.shape[-1])
        q, k, v = (
            part.unflatten(-1, (self.config.heads, -1)).transpose(1, 2)
            for part in (query_PQD, keys_PND, values_PND)
        )
        seen_PQD = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return seen_PQD.reshape(query_BTD.shape)


@CAPTIONERS.register("lstm-attention")
class LstmCaptioner:
    """The caption decoder of a version: features in, (caption, confidence) out."""

    def __init__(self, version: Version, spec: dict[str, Any], device: str) -> None:
        self.device = device
        decoder = CaptionDecoder(CaptionConfig(**spec["config"]))
        self.decoder = load_weights(decoder, version, spec["file"], device=device)
        self.vocabulary: list[str] = json.loads(version.text(spec["vocabulary"]))
        self.beam = BeamConfig(**{**spec["beam"], "forbidden": tuple(spec["beam"]["forbidden"])})
        self.confidence: dict[str, float] = spec["confidence"]

    def __call__(self, features: Features) -> list[Captioned]:
        """One caption a photo; without full stop, first letter capital."""
        grid_BNC = torch.from_numpy(features.grid).flatten(1, 2).to(self.device)
        pooled_BP = torch.from_numpy(features.pooled).to(self.device)
        with torch.inference_mode():
            found = beam_search(self.decoder, grid_BNC, pooled_BP, self.beam)
        return [
            Captioned(self._sentence(words), self._confidence(score), {}) for words, score in found
        ]

    def _sentence(self, words: list[int]) -> str:
        sentence = " ".join(self.vocabulary[word] for word in words)
        return sentence[:1].upper() + sentence[1:]

    def _confidence(self, mean_log_probability: float) -> float:
        """How likely it is that a word of the caption that names something is right."""
        slope, offset = self.confidence["slope"], self.confidence["offset"]
        return float(torch.sigmoid(torch.tensor(slope * mean_log_probability + offset)))
