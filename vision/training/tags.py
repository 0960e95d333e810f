"""Tags need no training: a table of words over ImageNet classes, and measured thresholds."""

import shutil
from pathlib import Path
from typing import Any

WORDS = Path(__file__).with_name("tag_words.csv")
THRESHOLD = 0.5
MOST = 8  # tags a photo


def make_tags(folder: Path) -> dict[str, Any]:
    """Copy the table into a draft; the tags' part of the manifest."""
    shutil.copyfile(WORDS, folder / "tags.csv")
    return {
        "name": "imagenet-fold",
        "words": "tags.csv",
        "threshold": THRESHOLD,
        "thresholds": {},
        "most": MOST,
    }
