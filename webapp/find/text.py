"""Queries into embeddings: one text encoder a process, loaded on first use, without torch."""

import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.cutoff import GENERIC_QUERIES
from vision.errors import VisionError
from vision.text_encoder import TextEncoder, load_text_encoder
from webapp.errors import Unavailable
from webapp.teach.models import ModelVersion
from webapp.teach.services import weights_folder

# Texts whose embeddings are remembered; 2 kB each.
REMEMBERED = 4_096

_loading = threading.Lock()


def embed_query(version: ModelVersion, text: str) -> NDArray[np.float32]:
    """The embedding (512,) of `text` in the space of this model version."""
    return _embed(weights_folder(version), text)


def generic_queries(version: ModelVersion) -> NDArray[np.float32]:
    """Embeddings (g, 512) of the queries that `search.cutoff` compares with."""
    return _generic(weights_folder(version))


@lru_cache(maxsize=REMEMBERED)
def _embed(folder: Path, text: str) -> NDArray[np.float32]:
    return _encoder(folder).encode([text])[0]


@lru_cache(maxsize=2)
def _generic(folder: Path) -> NDArray[np.float32]:
    return _encoder(folder).encode(GENERIC_QUERIES)


def _encoder(folder: Path) -> TextEncoder:
    with _loading:
        return _load(folder)


@lru_cache(maxsize=2)
def _load(folder: Path) -> TextEncoder:
    try:
        return load_text_encoder(folder)
    except VisionError as error:
        raise Unavailable(
            "Search by meaning is not at work: the model on the server cannot be read. "
            "The administrator finds the reason with “manage.py doctor”."
        ) from error
