"""What a worker says of itself while it loads its network."""

import sys
from types import ModuleType

import pytest

from workers.heartbeat import device


def test_a_network_that_is_half_loaded_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread imports torch while the heartbeat asks."""
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    assert device() == "cpu"
    half = ModuleType("torch")
    half.cuda = ModuleType("torch.cuda")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", half)
    assert device() == "cpu"
