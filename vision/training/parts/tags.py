"""The tags of a version: which words it knows, and from which probability each is said."""

import shutil

import numpy as np

from vision.evaluation.tag_truth import WORDS, read_words, truths, written_about
from vision.heads.tags import read_fold
from vision.training.tags import TagCalibration, thresholds
from vision.training.workshop import Parts, Workshop


def make_tags(shop: Workshop, config: TagCalibration) -> Parts:
    """Copy the table of words into the draft and choose their thresholds."""
    shutil.copyfile(WORDS, shop.draft / "tags.csv")
    words, fold = read_words(), read_fold(WORDS.read_text("utf-8").splitlines())
    written, logits = [], []
    for each in shop.all_collections():
        written += written_about(each, "train", shop.features.names(each, "train"))
        logits.append(shop.features.load(each, "train", "logits", "plain").astype(np.float32))
    probabilities = fold.probabilities(np.concatenate(logits))
    return {
        "tags": {
            "name": "imagenet-fold",
            "words": "tags.csv",
            "thresholds": thresholds(words, probabilities, truths(words, written), config),
            "most": 8,
        }
    }
