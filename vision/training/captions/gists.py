"""Teach word vectors to sum up to what the text encoder says of a whole sentence.

Shapes: N sentences, T words, D embedding width, V words of the language.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import optim

from vision.heads.gist import Gist
from vision.heads.polyglot import END, SPECIAL
from vision.training.captions.data import Vocabulary
from vision.training.steps import descend, plateau

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GistTraining:
    """Settings. Ten seconds of one core; the mean cosine to the encoder is then 0.94.

    Bigrams brought it to 0.97 for ten times the weights and chose no better captions.
    """

    steps: int = 1000
    batch: int = 512
    rate: float = 3e-3
    warmup: int = 50
    decay_from: float = 0.3  # share of the steps after which the rate falls to nothing
    weight_decay: float = 1e-3
    seed: int = 0


def fit_gist(
    texts: Sequence[str],
    targets_ND: NDArray[np.float32],
    vocabulary: Vocabulary,
    *,
    language: str,
    config: GistTraining,
) -> Gist:
    """A gist of `texts` near the encoder's embeddings `targets_ND` of them, unit vectors."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    words_NT = torch.from_numpy(np.stack([vocabulary.numbers(text) for text in texts])).clamp(END)
    targets = torch.from_numpy(targets_ND)
    gist = Gist(len(vocabulary.words), special=len(SPECIAL[language]), dim=targets.shape[1])
    torch.nn.init.normal_(gist.vectors, std=0.05)
    optimizer = optim.AdamW(gist.parameters(), weight_decay=config.weight_decay, fused=True)
    for step in range(config.steps):
        share = plateau(step, config.steps, warmup=config.warmup, decay_from=config.decay_from)
        rows = torch.from_numpy(rng.integers(len(texts), size=config.batch))
        cosine = (gist(words_NT[rows]) * targets[rows]).sum(dim=-1).mean()
        descend(1 - cosine, optimizer, rate=config.rate * share)
    logger.info("fitted gist language=%s cosine=%.3f", language, cosine.item())
    return gist.requires_grad_(False).eval()
