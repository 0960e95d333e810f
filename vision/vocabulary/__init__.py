"""What photos are tagged with: about nine hundred everyday words, and how people search for them.

Free of torch and of any model: which of the words a version knows is in its own files.
"""

from vision.vocabulary.plurals import plural
from vision.vocabulary.words import (
    Word,
    broader_words,
    hurtful_words,
    prompts,
    search_forms,
    vocabulary,
)

__all__ = [
    "Word",
    "broader_words",
    "hurtful_words",
    "plural",
    "prompts",
    "search_forms",
    "vocabulary",
]
