"""The index of this process: a base that a worker made, and what the database says since.

Nobody tells a process that photos changed. At each search it asks the database for the newest
change number, one row, and catches up if it is behind. So a photo is searchable with the next
search after it is ready, in every process.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from search.cutoff import SAMPLE
from search.errors import IndexDamaged, IndexMissing, IndexUnreachable
from search.index import LayeredIndex, Selection, Snapshot, Vectors
from vision.sight import EMBED_DIM
from webapp.accounts.models import User
from webapp.find.index import feed
from webapp.find.index.building import index_store
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version
from workers import queue

logger = logging.getLogger(__name__)

NOBODY = Selection.of([])
AT_ONCE = 2  # engines of different versions in one process
UNREACHABLE = "unreachable"  # differs from every state of a store: each search tries again


@dataclass(frozen=True)
class View:
    """The index as one search uses it: only `photos`, which its user may see."""

    version: ModelVersion
    index: LayeredIndex
    photos: Selection
    sample: Vectors  # (m, 512) embeddings of photos that stand for the user's library


class Engine:
    """The index of one model version, following the database."""

    def __init__(self, version: ModelVersion) -> None:
        self.version = version
        self._store = index_store(version)
        self._mark = 0
        self._samples: dict[int, Vectors] = {}
        self._start()

    def view(self, user: User, version: ModelVersion) -> View:
        """The index as it is now, for what `user` may see; `version` is its row as it is now."""
        photos = self._owned.get(user.pk, NOBODY)
        if user.pk not in self._samples:
            self._samples[user.pk] = _sample(self.index, photos)
        return View(version, self.index, photos, self._samples[user.pk])

    def follow(self) -> None:
        """Catch up with the database, and with a worker that made a new base."""
        newest = feed.newest_change()
        if newest < self._mark or self._state() != self._opened:
            self._start()
        elif newest > self._mark:
            self._apply_after(self._mark)
            self._mark = newest

    def _start(self) -> None:
        """Open the base and read what the database has beyond it.

        If that is interrupted, the next search goes on from the base.
        """
        newest = feed.newest_change()
        opened, base = self._open(newest)
        owned = base.by_group() if base else None
        self._opened, self._owned = opened, dict(_by_owner() if owned is None else owned)
        self.index = LayeredIndex(base, dim=EMBED_DIM)
        self._mark = base.manifest.high_water_mark if base else 0
        if opened != UNREACHABLE:  # else the whole database would have to fit into memory
            self._apply_after(self._mark)
        self._mark = newest
        if base:
            threading.Thread(target=self._verify, args=[base], daemon=True).start()

    def _open(self, newest: int) -> tuple[Hashable | None, Snapshot | None]:
        """The base and what `_state` says of it; no base if there is none that can be used, then
        the database has to do."""
        try:
            opened = self._store.state()
            base = self._store.open()
        except IndexMissing:
            return opened, None
        except IndexUnreachable as error:
            logger.error("index unreachable version=%s reason=%s", self.version.pk, error)
            return UNREACHABLE, None
        except IndexDamaged as error:
            # The base before takes its place, and is verified in its turn.
            return self._open(newest) if self._set_aside(error) else (opened, None)
        return opened, base if base.manifest.high_water_mark <= newest else None

    def _verify(self, base: Snapshot) -> None:
        """Read the whole base, in a thread of its own: opening verified what must be right before
        anything is searched."""
        try:
            base.verify()
        except IndexDamaged as error:
            self._set_aside(error)  # the next search notices

    def _set_aside(self, error: IndexDamaged) -> bool:
        logger.error("index damaged version=%s reason=%s", self.version.pk, error)
        is_ours = self._store.set_aside(error.base)
        if is_ours:
            queue.build_index()
        return is_ours

    def _state(self) -> Hashable | None:
        """Which base is in use; while a server does not answer, the one that was."""
        try:
            return self._store.state()
        except IndexUnreachable:
            return self._opened

    def _apply_after(self, number: int) -> None:
        self._samples.clear()
        for change in feed.changes_after(self.version, number):
            self.index.remove(change.gone)
            self.index.add(change.ids, change.vectors)
            for owner, photos in self._owned.items():
                self._owned[owner] = photos.removing(change.gone)
            for owner in set(change.owners.tolist()):
                arrived = change.ids[change.owners == owner]
                self._owned[owner] = self._owned.get(owner, NOBODY).adding(arrived)


def _sample(index: LayeredIndex, photos: Selection) -> Vectors:
    """Evenly over all ids, so that it stays nearly the same while photos arrive."""
    ids = photos.ids()
    _, vectors = index.vectors(ids[:: max(1, len(ids) // SAMPLE)][:SAMPLE])
    return vectors


def _by_owner() -> dict[int, Selection]:
    """For each user the searchable photos."""
    ids: dict[int, list[int]] = {}
    for owner, photo_id in feed.searchable_by_owner():
        ids.setdefault(owner, []).append(photo_id)
    return {owner: Selection.of(photo_ids) for owner, photo_ids in ids.items()}


_engines: OrderedDict[int, Engine] = OrderedDict()  # by version, the last used at the end
_turn = threading.Lock()


def open_view(user: User) -> View:
    """This process's index of the version that serves, up to date, for what `user` may see.

    Around a switch there are two: who began with the version before ends with it.
    """
    version = active_version()
    with _turn:
        engine = _engines.get(version.pk)
        if engine is None:
            engine = _engines[version.pk] = Engine(version)
        else:
            engine.follow()
        _engines.move_to_end(version.pk)
        while len(_engines) > AT_ONCE:
            _engines.popitem(last=False)
        return engine.view(user, version)


def version_in_use() -> str:
    """The name of the model version that this process last searched with; empty before that."""
    last = next(reversed(_engines.values()), None)
    return last.version.name if last else ""


def close() -> None:
    """Forget the index; the next search opens it again."""
    with _turn:
        _engines.clear()
