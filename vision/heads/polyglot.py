"""A caption decoder of several languages: CNN grid and class evidence -> LSTM with attention.

One LSTM reads words, its state asks the photo where to look, and both together name the next word.
What is heard and said differs by language, the rest is shared. Besides the grid the decoder gets
what the backbone takes the photo for (root of each class's probability). Text without a photo is
read with a learned "nothing to see". Source: Lu et al. 2017, "Knowing When to Look"
(arXiv:1612.01887), with multi-head attention and without the sentinel; a token that names the
language as in Johnson et al. 2017 (arXiv:1611.04558).
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vision.backbones.base import Features
from vision.heads import CAPTIONERS, Captioned
from vision.heads.beam import BeamConfig, beam_search
from vision.heads.captions import as_sentence
from vision.heads.gist import load_judges
from vision.heads.loading import load_weights
from vision.heads.speaking import Seen, Speaker, attend
from vision.heads.trust import Trust
from vision.processor import multiplies_bfloat16
from vision.versions import Version

# The first rows of every language's vocabulary; START_* also says in whose manner to write, so
# that collections with different habits can be learned together.
END, UNKNOWN = range(2)
SPECIAL = {
    "en": ("<end>", "<unknown>", "<flickr8k>", "<coco_wide>"),
    "de": ("<end>", "<unknown>", "<german>"),
}
FIRST = "en"  # the language of `Captioned.caption`


@dataclass(frozen=True, slots=True)
class PolyglotConfig:
    """Sizes of the decoder; `vocabularies` counts words and special tokens by language."""

    vocabularies: dict[str, int]
    grid: int = 352
    cells: int = 81
    pooled: int = 1280
    stride16: int = 120
    classes: int = 1000
    word: int = 256
    hidden: int = 512
    summary: int = 384
    attention: int = 256
    heads: int = 4

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos as the decoder takes them: grid (P, N, C) and whole (P, pooled + stride16 + classes).

    The probabilities of classes enter as their roots, scaled to about the size of the features.
    """

    grid: Tensor
    whole: Tensor

    def part(self, rows: slice, device: torch.device) -> Self:
        """Some of them, on a device."""
        return type(self)(self.grid[rows].to(device), self.whole[rows].to(device))

    @classmethod
    def of(
        cls,
        pooled: NDArray[np.floating],
        stride16: NDArray[np.floating],
        grid: NDArray[np.floating],
        logits: NDArray[np.floating],
        *,
        device: str = "cpu",
    ) -> Self:
        """From the backbone's arrays (`vision.backbones.base.Features`) of any float type."""
        pooled_PF, stride16_PF, grid_PGGC, logits_PK = (
            torch.from_numpy(np.asarray(part, dtype=np.float32)).to(device)
            for part in (pooled, stride16, grid, logits)
        )
        evidence_PK = (logits_PK.softmax(dim=-1) * logits_PK.shape[-1]).sqrt() / 2
        whole_PF = torch.cat([pooled_PF, stride16_PF, evidence_PK], dim=-1)
        return cls(grid_PGGC.flatten(1, 2), whole_PF)


class PolyglotDecoder(nn.Module):
    """Next-word logits from photos and the words so far.

    Shapes: P photos, B sentences (B / P of each photo, photo by photo), T words, N cells, D
    attention width, V words of the language.
    """

    def __init__(self, config: PolyglotConfig, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        sizes = config.vocabularies
        self.words = nn.ModuleDict({k: nn.Embedding(n, config.word) for k, n in sizes.items()})
        self.bias = nn.ParameterDict({k: nn.Parameter(torch.zeros(n)) for k, n in sizes.items()})
        whole = config.pooled + config.stride16 + config.classes
        self.summary = nn.Linear(whole, config.summary)
        self.start = nn.Linear(config.summary, 2 * config.hidden)
        self.token = nn.Linear(config.summary, 2 * config.attention)
        self.memory = nn.Linear(config.grid, 2 * config.attention)
        self.places = nn.Parameter(torch.zeros(config.cells, config.attention))
        self.nothing = nn.Parameter(torch.zeros(config.summary))
        self.lstm = nn.LSTM(config.word, config.hidden, batch_first=True)
        self.query = nn.Linear(config.hidden, config.attention)
        self.mix = nn.Linear(config.hidden + config.attention, config.word)
        self.dropout = nn.Dropout(dropout)
        # Words name inputs and outputs; at PyTorch's deviation of 1 the first logits are huge.
        for words in self.words.values():
            nn.init.normal_(words.get_parameter("weight"), std=config.word**-0.5)

    def look(self, photos: Photos) -> Seen:
        """What of each photo every step needs: its cells, and the whole as one cell more."""
        summary = nn.functional.gelu(self.summary(photos.whole))
        keys_PND, values_PND = self.memory(photos.grid).chunk(2, dim=-1)
        alone = self._from_summary(self.dropout(summary))
        return Seen(
            torch.cat([keys_PND + self.places, alone.keys], dim=1),
            torch.cat([values_PND, alone.values], dim=1),
            alone.state,
        )

    def imagine(self, count: int) -> Seen:
        """What `count` sentences without a photo have instead."""
        return self._from_summary(self.nothing.expand(count, -1))

    def _from_summary(self, summary_PS: Tensor) -> Seen:
        key_PD, value_PD = self.token(summary_PS).chunk(2, dim=-1)
        hidden_PH, cell_PH = torch.tanh(self.start(summary_PS)).chunk(2, dim=-1)
        return Seen(key_PD[:, None], value_PD[:, None], (hidden_PH, cell_PH))

    def read(self, words_BT: Tensor, seen: Seen, language: str) -> Tensor:
        """Logits (B, T, V) of the word after each of `words_BT`, all at once."""
        each = len(words_BT) // len(seen)
        table = self.words[language].get_parameter("weight")
        hidden, cell = (part.repeat_interleave(each, dim=0)[None] for part in seen.state)
        heard_BTW = self.dropout(nn.functional.embedding(words_BT, table))
        hidden_BTH, _ = self.lstm(heard_BTW, (hidden.contiguous(), cell.contiguous()))
        query_BTD = self.query(hidden_BTH)
        seen_BTD = attend(query_BTD, seen.keys, seen.values, heads=self.config.heads)
        mixed_BTW = torch.tanh(self.mix(self.dropout(torch.cat([hidden_BTH, seen_BTD], dim=-1))))
        return self.dropout(mixed_BTW) @ table.T + self.bias[language]

    def speaker(self, language: str, *, fast: bool = False) -> Speaker:
        """The same for inference, a word at a time; it keeps the weights of this moment."""
        return Speaker(
            words=self.words[language].get_parameter("weight"),
            bias=self.bias[language],
            lstm=self.lstm,
            query=self.query,
            mix=self.mix,
            heads=self.config.heads,
            fast=fast,
        )


@dataclass(frozen=True, slots=True)
class Language:
    """How one language is spoken: words as they are written, and how to search and to doubt."""

    vocabulary: list[str]
    beam: BeamConfig
    trust: Trust


@CAPTIONERS.register("lstm-polyglot")
class PolyglotCaptioner:
    """The caption decoder of a version: features in, captions of every language out.

    With embeddings among the features, a version that has gists lets them judge.
    """

    def __init__(self, version: Version, spec: dict[str, Any], device: str) -> None:
        self.device = device
        decoder = PolyglotDecoder(PolyglotConfig(**spec["config"]))
        self.decoder = load_weights(decoder, version, spec["file"], device=device)
        words: dict[str, list[str]] = json.loads(version.text(spec["vocabulary"]))
        self.languages = {
            code: Language(words[code], beam_config(own["beam"]), Trust(**own["confidence"]))
            for code, own in spec["languages"].items()
        }
        special = {code: len(words) for code, words in SPECIAL.items()}
        self.judges = load_judges(version, spec, special, device)
        fast = multiplies_bfloat16()
        self.speakers = {code: self.decoder.speaker(code, fast=fast) for code in self.languages}

    def __call__(self, features: Features) -> list[Captioned]:
        """Captions without full stop, first letter capital."""
        with torch.inference_mode():
            parts = (features.pooled, features.stride16, features.grid, features.logits)
            seen = self.decoder.look(Photos.of(*parts, device=self.device))
        said = {code: self._say(code, seen, features) for code in self.languages}
        others = [code for code in said if code != FIRST]
        return [
            Captioned(*said[FIRST][row], {code: said[code][row] for code in others})
            for row in range(len(features))
        ]

    def _say(self, code: str, seen: Seen, features: Features) -> list[tuple[str, float]]:
        language = self.languages[code]
        judge = self.judges.of(code, features)
        found = beam_search(self.speakers[code], seen, language.beam, judge=judge)
        sure = language.trust.confidences(found, features.logits)
        return [
            (as_sentence(language.vocabulary, words), confidence)
            for (words, _), confidence in zip(found, sure, strict=True)
        ]


def beam_config(spec: dict[str, Any]) -> BeamConfig:
    """From the manifest's lists and numbers."""
    lists: dict[str, Any] = {name: tuple(spec[name]) for name in ("forbidden", "unfinal")}
    return BeamConfig(**spec | lists)
