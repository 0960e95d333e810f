"""Bases in a Milvus server, for libraries that outgrow one machine.

A base is a collection of its own; a row in `marea_manifests` says which one is in use, and writing
that row is the switch. Web processes keep what changed since in memory, as they do over files, so
photos are searchable at once whatever the server's consistency is.

`milvus://host:19530`, `milvus://user:password@host:19530`, or `milvus:///path/to/file.db` for
Milvus Lite, which serves one process. Needs requirements-milvus.txt.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from search.errors import IndexDamaged, IndexMissing, IndexUnreachable
from search.index.build import Batch
from search.index.manifest import Manifest
from search.index.milvus_filter import MOST_RESULTS, filter_for
from search.index.protocol import Scores, Vectors
from search.index.scoring import as_stored, best, inner_products, nothing
from search.index.selection import Ids, Selection

if TYPE_CHECKING:
    from pymilvus import MilvusClient

MANIFESTS = "marea_manifests"
READ_AT_ONCE = 8_192  # ids; the server answers at most 16,384 rows
EXACT_UP_TO = 20_000  # vectors that are fetched and scored here where the server finds too few
GRAPH = {"M": 16, "efConstruction": 200}
LEAST_VISITED, MOST_VISITED = 128, 32_768  # `ef`: points that one search looks at
CONNECT_S = 10.0
ANSWER_S = 5.0  # of one search; then it goes on by words

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MilvusStore:
    """The `search.index.store.Store` of a model version in the server at `url`."""

    url: str
    version: str
    digest: str = ""

    def manifest(self) -> Manifest:
        return self._read()["in_use"]

    def open(self) -> MilvusBase:
        manifest = self.manifest()
        if self.digest and manifest.digest and self.digest != manifest.digest:
            raise IndexMissing(f"The index of {self.version} belongs to other weights.")
        with _answered():
            if not connect(self.url).has_collection(manifest.base):
                raise IndexDamaged(f"The collection {manifest.base} is gone.", manifest.base)
        return MilvusBase(self.url, manifest)

    def build(self, *, high_water_mark: int, batches: Iterable[Batch], dim: int) -> Manifest:
        name = f"{self._prefix()}{high_water_mark}_{secrets.token_hex(4)}"
        with _answered():
            _create(connect(self.url), name, dim)
        count = 0
        for ids, vectors, *_ in batches:
            count += self._put(name, ids, vectors)
        with _answered():
            connect(self.url).flush(name)
        made = Manifest(self.version, high_water_mark, count, dim, "milvus", name, {}, self.digest)
        self._switch(made, previous=self._in_use())
        self._clear_away()
        return made

    def catch_up(
        self, *, high_water_mark: int, changes: Iterable[tuple[Ids, Ids, Any]]
    ) -> Manifest:
        """Bring the base in use to `high_water_mark` by `changes`: ids gone, ids there with their
        vectors. What another process does meanwhile, or a second time, does no harm."""
        manifests = self._read()
        base = manifests["in_use"].base
        for gone, ids, vectors in changes:
            if len(gone):
                with _answered():
                    connect(self.url).delete(base, ids=[int(photo_id) for photo_id in gone])
            self._put(base, ids, vectors)
        with _answered():
            count = _count(connect(self.url), base)
        made = replace(manifests["in_use"], high_water_mark=high_water_mark, count=count)
        self._switch(made, previous=manifests.get("previous"))
        return made

    def undo(self) -> Manifest:
        manifests = self._read()
        if "previous" not in manifests:
            raise IndexMissing(f"There is no index of {self.version} before this one.")
        self._switch(manifests["previous"], previous=manifests["in_use"])
        return manifests["previous"]

    def verify(self) -> Manifest:
        """That as many photos are there as were written; the server watches over its own files."""
        base = self.open()
        with _answered():
            there = _count(connect(self.url), base.manifest.base)
        if there != base.manifest.count:
            raise IndexDamaged(f"The index has {there} photos, not {base.manifest.count}.")
        return base.manifest

    def set_aside(self, base: str) -> bool:
        in_use = self._in_use()
        if base != (in_use.base if in_use else ""):
            return False
        previous = self._read().get("previous") if in_use else None
        if previous:
            self._switch(previous, previous=None)
        else:
            with _answered():
                connect(self.url).delete(MANIFESTS, ids=[self.version])
        return True

    def state(self) -> Hashable | None:
        try:
            manifest = self.manifest()
        except (IndexMissing, IndexDamaged):
            return None
        return manifest.base, manifest.high_water_mark

    def oldest_mark(self) -> int:
        try:
            return min(manifest.high_water_mark for manifest in self._read().values())
        except (IndexMissing, IndexDamaged):
            return 0

    def _put(self, name: str, ids: Any, vectors: Any) -> int:
        rows = [
            {"id": int(photo_id), "vector": vector}
            for photo_id, vector in zip(ids, as_stored(vectors), strict=True)
        ]
        if rows:
            with _answered():
                connect(self.url).upsert(name, rows)
        return len(rows)

    def _read(self) -> dict[str, Manifest]:
        """The manifests `in_use` and, where there is one, `previous`."""
        with _answered():
            client = connect(self.url)
            if not client.has_collection(MANIFESTS):
                raise IndexMissing(f"There is no index of {self.version} yet.")
            rows = client.get(MANIFESTS, ids=[self.version], output_fields=["manifests"])
        if not rows:
            raise IndexMissing(f"There is no index of {self.version} yet.")
        try:
            written = json.loads(rows[0]["manifests"])
            return {name: Manifest(**content) for name, content in written.items()}
        except (ValueError, TypeError) as error:
            raise IndexDamaged(f"The manifest of the index cannot be read: {error}") from error

    def _in_use(self) -> Manifest | None:
        try:
            return self.manifest()
        except (IndexMissing, IndexDamaged):
            return None

    def _switch(self, manifest: Manifest, *, previous: Manifest | None) -> None:
        """One write, which whoever reads sees whole or not at all."""
        manifests = {"in_use": manifest} | ({"previous": previous} if previous else {})
        written = json.dumps({name: asdict(each) for name, each in manifests.items()})
        row = {"version": self.version, "manifests": written, "unused": [0.0, 1.0]}
        with _answered():
            client = connect(self.url)
            if not client.has_collection(MANIFESTS):
                _create_manifests(client)
            client.upsert(MANIFESTS, [row])

    def _clear_away(self) -> None:
        kept = {manifest.base for manifest in self._read().values()}
        with _answered():
            client = connect(self.url)
            for name in client.list_collections():
                if name.startswith(self._prefix()) and name not in kept:
                    client.drop_collection(name)

    def _prefix(self) -> str:
        return f"marea_{re.sub('[^a-z0-9]', '_', self.version.lower())}__"


class MilvusBase:
    """A collection as `search.index.protocol.Snapshot`."""

    def __init__(self, url: str, manifest: Manifest) -> None:
        self.manifest = manifest
        self._url, self._name = url, manifest.base
        self.ids: Ids = self._all_ids()

    @cached_property
    def members(self) -> Selection:
        return Selection.of(self.ids)

    def by_group(self) -> Mapping[int, Selection] | None:
        return None

    def verify(self) -> None:
        """The server watches over its own files."""

    def search(self, query: Vectors, k: int, live: Selection) -> tuple[Scores, Ids]:
        k = min(k, len(live), MOST_RESULTS)
        try:
            return self._search(query, k, live) if k else nothing()
        except IndexUnreachable as error:  # words and the newest photos still answer
            logger.error("milvus_search_failed reason=%s", error)
            return nothing()

    def near(self, query: Vectors, k: int, live: Selection) -> Ids:
        return self.search(query, k, live)[1]

    def _search(self, query: Vectors, k: int, live: Selection) -> tuple[Scores, Ids]:
        wanted, limit = filter_for(live, self.ids, k)
        rarity = 1.0 if wanted is None else self.ids.size / len(live)
        scores, ids = self._ask(query, wanted, limit, rarity)
        if wanted is None:
            kept = live.contains(ids)
            scores, ids = scores[kept], ids[kept]
            if ids.size < k:  # they lie too far down: name them one by one
                wanted, limit = filter_for(live, self.ids, k, exactly=True)
                scores, ids = self._ask(query, wanted, limit, self.ids.size / len(live))
        if ids.size < k and len(live) <= EXACT_UP_TO:
            # A graph that is searched under a selective filter may lose its way.
            ids = live.ids()
            scores = inner_products(self.vectors(ids), query)
        return best(scores, ids, k)

    def vectors(self, ids: Ids) -> Vectors:
        """Zeros for what was deleted from the server since, or while it does not answer."""
        vectors = np.zeros((ids.size, self.manifest.dim), np.float32)
        try:
            for at in range(0, ids.size, READ_AT_ONCE):
                self._fetch(ids[at : at + READ_AT_ONCE], vectors[at : at + READ_AT_ONCE])
        except IndexUnreachable as error:
            logger.error("milvus_read_failed reason=%s", error)
        return vectors

    def _fetch(self, ids: Ids, into: Vectors) -> None:
        with _answered():
            rows = connect(self._url).get(
                self._name, ids=ids.tolist(), output_fields=["vector"], timeout=ANSWER_S
            )
        for row in rows:
            into[np.searchsorted(ids, row["id"])] = row["vector"]

    def _ask(
        self, query: Vectors, wanted: str | None, limit: int, rarity: float
    ) -> tuple[Scores, Ids]:
        """The graph is followed the farther the fewer of its points count."""
        ef = min(MOST_VISITED, int(max(LEAST_VISITED, 2 * limit) * rarity))
        with _answered():
            (hits,) = connect(self._url).search(
                self._name,
                data=[np.asarray(query, np.float32)],
                limit=limit,
                filter=wanted or "",
                output_fields=["id"],
                search_params={"metric_type": "IP", "params": {"ef": ef}},
                timeout=ANSWER_S,
            )
        scores = np.array([hit["distance"] for hit in hits], np.float32)
        return scores, np.array([hit["id"] for hit in hits], np.int64)

    def _all_ids(self) -> Ids:
        found: list[int] = []
        with _answered():
            rows = connect(self._url).query_iterator(
                self._name, batch_size=READ_AT_ONCE, filter="id >= 0", output_fields=["id"]
            )
            while batch := rows.next():
                found += [row["id"] for row in batch]
            rows.close()
        return np.unique(np.array(found, np.int64))


@lru_cache(maxsize=4)
def connect(url: str) -> MilvusClient:
    """One connection a process. Raises IndexUnreachable."""
    from pymilvus import MilvusClient  # late: only who chose this engine has it

    parts = urlsplit(url)
    with _answered():
        if not parts.hostname:
            return MilvusClient(parts.path)
        token = f"{parts.username}:{parts.password}" if parts.username else ""
        address = f"http://{parts.hostname}:{parts.port or 19530}"
        return MilvusClient(address, token=token, timeout=CONNECT_S)


@contextmanager
def _answered() -> Iterator[None]:
    """What pymilvus raises, in our words."""
    from grpc import RpcError
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (MilvusException, RpcError, OSError) as error:
        raise IndexUnreachable(f"Milvus does not answer ({type(error).__name__}).") from error


def _create(client: MilvusClient, name: str, dim: int) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="HNSW", metric_type="IP", params=GRAPH)
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def _create_manifests(client: MilvusClient) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("version", DataType.VARCHAR, max_length=200, is_primary=True)
    schema.add_field("manifests", DataType.VARCHAR, max_length=8_000)
    schema.add_field("unused", DataType.FLOAT_VECTOR, dim=2)  # a collection must have one
    index = client.prepare_index_params()
    index.add_index("unused", index_type="FLAT", metric_type="IP")
    client.create_collection(
        MANIFESTS, schema=schema, index_params=index, consistency_level="Strong"
    )


def _count(client: MilvusClient, name: str) -> int:
    (row,) = client.query(name, filter="", output_fields=["count(*)"])
    return int(row["count(*)"])
