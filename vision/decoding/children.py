"""A fixed number of decoding processes, lent to one thread at a time."""

import os
import queue
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vision.decoding.errors import DecoderBusy
from vision.decoding.process import DecoderProcess
from vision.decoding.results import Limits

_all: "weakref.WeakSet[Children]" = weakref.WeakSet()


class Children:
    """Starts processes when they are first needed, replaces dead and worn ones.

    Made before a fork, it is good after it: the copy starts processes of its own.
    """

    def __init__(
        self, count: int, limits: Limits, *, recycle_after: int, max_wait_s: float | None
    ) -> None:
        if count < 1:
            raise ValueError("a decoder pool needs at least one child")
        self._count = count
        self._limits = limits
        self._recycle_after = recycle_after
        self._max_wait_s = max_wait_s
        self._closed = False
        self._start_afresh()
        _all.add(self)

    @contextmanager
    def lend(self) -> Iterator[DecoderProcess]:
        """Wait for a free process. If the block raises an error, it is ended and replaced.

        Raises `DecoderUnavailable`, `DecoderBusy`, and RuntimeError after `close`.
        """
        child = self._wait()
        try:
            child = self._usable(child)
            yield child
        except BaseException:
            self._end(child)
            child = None
            raise
        finally:
            if child and (self._closed or child.answered >= self._recycle_after):
                self._end(child)
                child = None
            self._free.put(child)

    def pids(self) -> list[int]:
        return sorted(child.pid for child in list(self._running))

    def close(self) -> None:
        """End all processes; a thread that waits for an answer sees EOFError."""
        self._closed = True
        for child in list(self._running):
            child.kill()
        with suppress(queue.Empty):
            while True:
                self._end(self._free.get_nowait())
        for _ in range(self._count):  # wake up who waits in `lend`
            self._free.put(None)

    def _wait(self) -> DecoderProcess | None:
        try:
            return self._free.get(timeout=self._max_wait_s)
        except queue.Empty as error:
            raise DecoderBusy("All processes that decode photos are busy.") from error

    def _usable(self, child: DecoderProcess | None) -> DecoderProcess:
        if self._closed:
            raise RuntimeError("the decoder pool is closed")
        if child and child.alive:
            return child
        self._end(child)
        child = DecoderProcess(self._limits)
        self._running.add(child)
        return child

    def _end(self, child: DecoderProcess | None) -> None:
        if child:
            self._running.discard(child)
            child.end()

    def _start_afresh(self) -> None:
        self._running: set[DecoderProcess] = set()
        # One entry for each process there may be; None has not been started. Last in, first out
        # keeps the number of started ones small.
        self._free: queue.LifoQueue[DecoderProcess | None] = queue.LifoQueue()
        for _ in range(self._count):
            self._free.put(None)

    def forget(self) -> None:
        """In a forked copy: the processes belong to the original, and its locks may be held."""
        for child in self._running:
            child.abandon()
        self._start_afresh()


def _forget_all() -> None:
    for children in list(_all):
        children.forget()


os.register_at_fork(after_in_child=_forget_all)
