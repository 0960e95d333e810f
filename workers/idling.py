"""An idle worker holds no network: it lets go of the weights after a while and says so."""

import logging
import threading

from django.conf import settings

from workers import heating, looking, memory, reading

logger = logging.getLogger(__name__)

_letting_go: threading.Timer | None = None


def wake() -> None:
    """There is work: whatever is loaded stays loaded."""
    if _letting_go:
        _letting_go.cancel()


def rest() -> None:
    """There is no work: free memory goes back at once, the weights after `MAREA_IDLE_S`."""
    global _letting_go
    wake()
    memory.give_back()
    _letting_go = threading.Timer(settings.MAREA_IDLE_S, let_go)
    _letting_go.daemon = True
    _letting_go.start()


def let_go() -> None:
    """Forget the network; who is looking through it this moment keeps it until done."""
    loaders = (looking.load_eye, heating.load_mapper, reading.load_reader)
    held = [load for load in loaders if load.cache_info().currsize]
    for load in held:
        load.cache_clear()
    if held:
        memory.give_back()
        logger.info("weights_let_go")
