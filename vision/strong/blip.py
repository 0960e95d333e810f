"""BLIP as the captioner of a version.

Source: Li et al. 2022 (arXiv:2201.12086). Beam search of 3. Its confidence is the mean probability
of a word; it was not calibrated on photos as our own captioner's is.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vision.backbones.base import Features
from vision.heads import CAPTIONERS, Captioned
from vision.heads.loading import load_weights
from vision.pixels import squash_batch
from vision.strong.extra import transformers
from vision.strong.joint import needed_pixels, normalised
from vision.versions import Version

BATCH = 8
BEAMS, MOST_TOKENS = 3, 24


@CAPTIONERS.register("blip")
class BlipCaptioner:
    """Pixels in, one English caption a photo out."""

    def __init__(self, version: Version, spec: dict[str, Any], device: str) -> None:
        library = transformers()
        network = library.BlipForConditionalGeneration(library.BlipConfig(**spec["config"]))
        self.network = load_weights(network, version, spec["file"], device=device)
        self.tokenizer = Tokenizer.from_str(version.text(spec["tokenizer"]))
        self.input_size = int(spec["input_size"])
        self.mean, self.deviation = spec["pixel_mean"], spec["pixel_deviation"]
        self.device = device

    def __call__(self, features: Features) -> list[Captioned]:
        pixels = needed_pixels(features)
        starts = range(0, len(pixels), BATCH)
        return [caption for row in starts for caption in self._say(pixels[row : row + BATCH])]

    @torch.inference_mode()
    def _say(self, pixels_BHWC: NDArray[np.uint8]) -> list[Captioned]:
        squashed = squash_batch(pixels_BHWC, self.input_size)  # type: ignore[arg-type]
        said = self.network.generate(
            pixel_values=normalised(squashed, self.mean, self.deviation, self.device),
            num_beams=BEAMS,
            max_new_tokens=MOST_TOKENS,
            return_dict_in_generate=True,
            output_scores=True,
        )
        scores = said.sequences_scores.tolist()
        return [
            Captioned(self._sentence(ids), min(1.0, math.exp(score)), {})
            for ids, score in zip(said.sequences.tolist(), scores, strict=True)
        ]

    def _sentence(self, ids: list[int]) -> str:
        words = self.tokenizer.decode(ids, skip_special_tokens=True).split()
        sentence = " ".join(words)
        return sentence[:1].upper() + sentence[1:]
