"""The vector index: nearest photos by embedding, among those that may be seen.

`VectorIndex` is the interface; `LayeredIndex` answers it over a base, which a worker makes and
any process opens from a `Store`: FAISS files (`FolderStore`) or a Milvus server
(`search.index.milvus.MilvusStore`). Each process brings its own index up to date with `add` and
`remove`.
"""

from search.index.base import Base, open_base, set_aside
from search.index.build import build_base
from search.index.layered import LayeredIndex
from search.index.manifest import Manifest
from search.index.protocol import Scores, Snapshot, VectorIndex, Vectors
from search.index.selection import Ids, Selection
from search.index.store import FolderStore, Store

__all__ = [
    "Base",
    "FolderStore",
    "Ids",
    "LayeredIndex",
    "Manifest",
    "Scores",
    "Selection",
    "Snapshot",
    "Store",
    "VectorIndex",
    "Vectors",
    "build_base",
    "open_base",
    "set_aside",
]
