"""Texts into the space of photos, with ONNX Runtime and `tokenizers` only (no torch).

The web process imports this module, so nothing it imports may import torch: a test holds it so.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vision.sessions import open_session
from vision.sight import EMBED_DIM
from vision.versions import Version, open_version


class TextEncoder:
    """The text side of one model version: MiniLM and a tower, exported to one ONNX file."""

    def __init__(self, version: Version, *, threads: int = 1) -> None:
        spec = version.part("text")
        self._session = open_session(version.path(spec["onnx"]), threads=threads)
        self._tokenizer = _tokenizer(version, spec)
        self.version = version.name

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings of texts, (n, 512) float32, L2 norm 1; any text is accepted.

        Each text runs alone. The network is quantised with scales taken from its input, so in a
        padded batch a text's embedding would depend on its neighbours.
        """
        if isinstance(texts, str):
            raise TypeError("encode() takes a sequence of texts, not one text")
        embeddings = np.empty((len(texts), EMBED_DIM), dtype=np.float32)
        for row, text in enumerate(texts):
            embeddings[row] = self._encode_one(text)
        return embeddings

    def _encode_one(self, text: str) -> NDArray[np.float32]:
        # A lone surrogate, which JSON can carry, is no text; the tokenizer would raise.
        clean = text.encode("utf-8", "replace").decode("utf-8")
        ids_1T = np.array([self._tokenizer.encode(clean).ids], dtype=np.int64)
        mask_1T = np.ones_like(ids_1T)
        (embedding_1D,) = self._session.run(["embedding"], {"ids": ids_1T, "mask": mask_1T})
        return embedding_1D[0]


def load_text_encoder(
    version_or_folder: str | Path | None = None, *, threads: int = 1
) -> TextEncoder:
    """Load the text side of a version; None means the default version. Raises WeightsError."""
    return TextEncoder(open_version(version_or_folder), threads=threads)


def _tokenizer(version: Version, spec: dict[str, object]) -> Tokenizer:
    tokenizer = Tokenizer.from_str(version.text(str(spec["tokenizer"])))
    # MiniLM's file pads to 128 tokens, which would cost ten times the work on short queries.
    tokenizer.no_padding()
    tokenizer.enable_truncation(int(str(spec["max_tokens"])))
    return tokenizer
