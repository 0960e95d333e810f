"""A tiny joint space to train on: photos and texts that share hidden causes."""

import numpy as np
import torch

from vision.heads.image_head import ImageHeadConfig
from vision.training.embedding.pairs import Captioned, Named, Photos

PHOTOS, CAUSES, TEXT = 64, 8, 12
CONFIG = ImageHeadConfig(
    pooled=20, stride16=4, grid=6, classes=10, name=5, temperatures=(1.0,), hidden=16, embed_dim=16
)


def causes(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(PHOTOS, CAUSES)).astype(np.float32)


def photos(seed: int = 0) -> Photos:
    """Two views of each photo: its causes, mixed, with a little noise."""
    rng = np.random.default_rng(seed + 1)
    mixed = causes(seed) @ rng.normal(size=(CAUSES, CONFIG.described)) * 3 + 5
    return Photos([(mixed + rng.normal(size=mixed.shape)).astype(np.float16) for _ in range(2)])


def captioned(seed: int = 0) -> Captioned:
    """One caption a photo."""
    mix = np.random.default_rng(7).normal(size=(CAUSES, TEXT)).astype(np.float32)
    sentences = torch.from_numpy(causes(seed) @ mix)
    return Captioned(photos(seed), sentences, [np.array([row]) for row in range(PHOTOS)])


def named(*, all_names: bool = False) -> Named:
    """Every photo has the name of its strongest cause, in two prompts; the last has none."""
    strongest = causes().argmax(axis=1)
    own = [np.array([cause]) for cause in strongest]
    own[-1] = np.array([], int)
    mix = np.random.default_rng(7).normal(size=(CAUSES, TEXT)).astype(np.float32)
    sentences = torch.from_numpy(np.stack([mix, mix * 2], axis=1))
    return Named(photos(), own, sentences, all_names=all_names)
