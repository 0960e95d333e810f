"""The loop that keeps programs running until it is asked to stop."""

import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Self

from workers.supervision.console import Console
from workers.supervision.program import Program

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_S = 20.0  # for a batch of photos to be finished, before a program is ended the hard way
TURN_S = 0.5


class Supervisor:
    """Runs programs as children of the main thread; a context that leaves none behind.

    The first stop signal is answered in good order, the second at once.
    """

    def __init__(self, console: Console) -> None:
        self.programs: list[Program] = []
        self._console = console
        self._selector = selectors.DefaultSelector()
        self._stop_signals = 0
        self._ending = False

    def __enter__(self) -> Self:
        self._wakes, self._woken = socket.socketpair()
        for end in (self._wakes, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only wakes the loop
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        signal.set_wakeup_fd(-1)
        self._selector.close()
        self._wakes.close()
        self._woken.close()

    @property
    def stopping(self) -> bool:
        return self._stop_signals > 0

    def start(self, program: Program) -> None:
        if program not in self.programs:
            self.programs.append(program)
        program.start()
        self._selector.register(program.output, selectors.EVENT_READ, program)

    def run(self, each_turn: Callable[[], None]) -> None:
        """Keep the programs running until a stop signal comes."""
        while not self.stopping:
            self.turn()
            self._restart_due()
            each_turn()

    def turn(self) -> None:
        """Wait a moment for output or a death, and deal with it."""
        for key, _ in self._selector.select(TURN_S):
            if isinstance(key.data, Program):
                self._forward(key.data)
            else:
                self._woken.recv(4096)
        for program in self.programs:
            if program.started and not program.running:
                self._bury(program)

    def stop(self) -> None:
        """End all programs, the first started last: others may need it to end well."""
        self._ending = True
        if not self.programs:
            return
        first, *others = self.programs
        self._end(others)
        self._end([first])
        self.programs.clear()

    def _end(self, programs: Sequence[Program]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        for program in programs:
            program.ask_to_stop()
        while any(p.running for p in programs):
            if time.monotonic() > deadline or self._stop_signals > 1:
                break
            self.turn()
        for program in programs:
            if program.started:
                self._let_go(program)
                program.kill()

    def _bury(self, program: Program) -> None:
        self._let_go(program)
        status = program.ended()
        if not self._ending:
            self._console.say(f"{program.name} ended with status {status}; it is started again.")

    def _restart_due(self) -> None:
        for program in self.programs:
            if not program.started and time.monotonic() >= program.start_at:
                self.start(program)

    def _forward(self, program: Program) -> None:
        for line in program.lines():
            self._console.line(program.name, line)
        if program.silent:
            self._selector.unregister(program.output)

    def _let_go(self, program: Program) -> None:
        """Print its last words and read no more."""
        if not program.silent:
            self._forward(program)
        if not program.silent:
            self._selector.unregister(program.output)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_signals += 1
        if self._stop_signals == 1:
            self._console.say("Stopping; work in hand is finished first. Ctrl-C again: at once.")
