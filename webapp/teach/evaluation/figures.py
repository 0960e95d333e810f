"""Figures as measures give them: nested dictionaries, by the names of DESIGN, section 9."""

from collections.abc import Mapping
from typing import Any

Figures = dict[str, Any]
Measured = dict[str, dict[str, Figures]]  # collection -> measure -> figures


def figure(figures: Any, *path: str) -> Any:
    """A figure by its path, or None where it was not measured."""
    for name in path:
        if not isinstance(figures, Mapping) or name not in figures:
            return None
        figures = figures[name]
    return figures
