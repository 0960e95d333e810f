"""One way to cut a caption into words, for training, evaluation and vocabulary alike."""

import re

WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation; inner apostrophes and hyphens stay.

    "A man's T-shirt, red ." -> ["a", "man's", "t-shirt", "red"]. The Penn Treebank tokenizer of
    coco-caption differs in splitting "man's" in two; punctuation it drops as well.
    """
    return WORD.findall(text.lower())
