"""Words that a version's tags learned from people, beyond those of the vocabulary. Torch-free, as
whoever stores tags asks for them."""

import csv

from vision.versions import Version
from vision.vocabulary.words import vocabulary

OWN = "own"  # the group of such words in a version's table


def own_words(version: Version) -> frozenset[str]:
    """None for versions whose tags learned nothing. Raises WeightsError for a damaged table."""
    table = version.parts.get("tags", {}).get("words", "")
    if not str(table).endswith(".csv"):
        return frozenset()
    rows = csv.DictReader(version.text(table).splitlines())
    return frozenset(row["word"] for row in rows if row.get("group") == OWN) - vocabulary().keys()
