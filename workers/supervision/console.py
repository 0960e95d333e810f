"""What the supervisor prints: each line behind the name of who said it."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

OURS = "marea"
# Calm ones that are legible on dark and light: cyan, green, magenta, blue, yellow.
COLOURS = (36, 32, 35, 34, 33)


class Console:
    """Writes lines, coloured where a person watches."""

    def __init__(self, names: Sequence[str], stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._width = max(len(name) for name in (OURS, *names))
        self._colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ

    def line(self, name: str, text: str) -> None:
        self._stream.write(f"{self._label(name)} {text}\n")
        self._stream.flush()

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        self.line(OURS, text)

    def _label(self, name: str) -> str:
        label = f"{name:<{self._width}} |"
        if not self._coloured:
            return label
        return f"\x1b[{self._colours.get(name, 1)}m{label}\x1b[0m"
