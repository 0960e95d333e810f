"""The vector index: nearest photos by embedding, among those that may be seen.

`VectorIndex` is the interface; `FaissIndex` the engine. Its base is built by a worker with
`build_base`, opened by any process with `open_base`, and brought up to date by each process
itself with `add` and `remove`.
"""

from search.index.base import Base, open_base, set_aside
from search.index.build import build_base
from search.index.faiss_index import FaissIndex
from search.index.manifest import Manifest
from search.index.protocol import Scores, VectorIndex, Vectors
from search.index.selection import Ids, Selection

__all__ = [
    "Base",
    "FaissIndex",
    "Ids",
    "Manifest",
    "Scores",
    "Selection",
    "VectorIndex",
    "Vectors",
    "build_base",
    "open_base",
    "set_aside",
]
