"""What a version saw of the photos by which versions are judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vision.vocabulary import broader_words, vocabulary
from vision.words import words_of
from webapp.find.query.embedding import embed_query
from webapp.teach.models import ModelVersion, Sight
from webapp.teach.services import embedding_from


@dataclass(frozen=True)
class SeenBy:
    """Sights of one version, of photos in the order of their ids."""

    version: ModelVersion
    photo_ids: tuple[int, ...]
    embeddings: NDArray[np.float32]  # (n, 512)
    tags: tuple[dict[str, float], ...]
    captions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.photo_ids)

    @cached_property
    def named(self) -> tuple[frozenset[str], ...]:
        """The tags of each photo, without their probabilities."""
        return tuple(frozenset(tags) for tags in self.tags)

    @cached_property
    def meant(self) -> tuple[frozenset[str], ...]:
        """The tags of each photo and all broader words: who says "spaniel" says "dog" as well."""
        return tuple(frozenset({*tags, *_broader(tags)}) for tags in self.tags)

    @cached_property
    def words(self) -> tuple[frozenset[str], ...]:
        """The words of each caption."""
        return tuple(frozenset(words_of(caption)) for caption in self.captions)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings (q, 512) of texts in this version's space."""
        vectors = [embed_query(self.version, text) for text in texts]
        return np.stack(vectors) if vectors else np.zeros((0, self.embeddings.shape[1]), np.float32)


def seen_by(version: ModelVersion, photo_ids: Sequence[int]) -> SeenBy:
    """As far as the version has looked at them."""
    sights = Sight.objects.filter(version=version, photo__in=photo_ids).order_by("photo_id")
    rows = list(sights.values_list("photo_id", "embedding", "tags", "caption"))
    vectors = [embedding_from(row[1]) for row in rows]
    return SeenBy(
        version=version,
        photo_ids=tuple(row[0] for row in rows),
        embeddings=np.stack(vectors) if vectors else np.zeros((0, 512), np.float32),
        tags=tuple({str(name): float(sure) for name, sure in row[2]} for row in rows),
        captions=tuple(row[3] for row in rows),
    )


def _broader(tags: dict[str, float]) -> set[str]:
    known = [tag for tag in tags if tag in vocabulary()]
    return {word for tag in known for word in broader_words(tag)}
