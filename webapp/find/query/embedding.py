"""Queries into embeddings: one text encoder a process, loaded on first use, without torch."""

import json
import logging
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.cutoff import GENERIC_QUERIES
from search.known import KnownWords, nothing_known, usually
from vision.errors import VisionError
from vision.sight import EMBED_DIM
from vision.text_encoder import TextEncoder, load_text_encoder
from vision.versions import Version, open_version
from webapp.errors import Unavailable
from webapp.teach.models import ModelVersion
from webapp.teach.services import weights_folder

# Texts whose embeddings are remembered; 2 kB each.
REMEMBERED = 4_096

logger = logging.getLogger(__name__)

_loading = threading.Lock()


def embed_query(version: ModelVersion, text: str) -> NDArray[np.float32]:
    """The embedding (512,) of `text` in the space of this model version."""
    return _embed(weights_folder(version), text)


def generic_queries(version: ModelVersion) -> NDArray[np.float32]:
    """Embeddings (g, 512) of the queries that `search.cutoff` compares with."""
    return _generic(weights_folder(version))


def known_words(version: ModelVersion) -> KnownWords:
    """The words whose look was learned in the space of this model version; none if it has no such
    part, or one of another embedding."""
    return _known(weights_folder(version))


@lru_cache(maxsize=2)
def _known(folder: Path) -> KnownWords:
    try:
        return read_known_words(open_version(folder))
    except VisionError:
        logger.exception("known words cannot be read, search does without folder=%s", folder)
        return nothing_known(EMBED_DIM)


def read_known_words(version: Version) -> KnownWords:
    """Raises WeightsError when they are there and cannot be read."""
    spec = version.parts.get("known")
    if not spec or spec["embedding"] != embedding_digest(version):
        return nothing_known(EMBED_DIM)
    arrays = version.arrays(spec["file"])
    forms = json.loads(version.text(spec["forms"]))
    lines, biases = arrays["lines"].astype(np.float32), arrays["biases"].astype(np.float32)
    usual = arrays.get("usual", usually(len(biases)))  # versions of before have none
    return KnownWords(forms, lines, biases, usual.astype(np.float32))


def embedding_digest(version: Version) -> str:
    """The SHA-256 of the file that makes a version's embeddings of photos."""
    return str(version.manifest["files"][version.part("embedding")["file"]]["sha256"])


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
