"""Which learned order is at work, and is its file the one that was promoted?"""

from collections.abc import Iterator

from django.conf import settings

from search.errors import RankerDamaged
from search.ranker import files
from webapp.find.ranker.at_work import folder
from webapp.find.ranker.learning import undone
from webapp.library.services.doctor.findings import Finding, note, problem


def ranker() -> Iterator[Finding]:
    if not settings.MAREA_RANKER:
        yield note("ranker", "The learned order is switched off (MAREA_RANKER).")
        return
    try:
        current = files.current(folder())
    except RankerDamaged as error:
        said = f"{error} Results are ordered without it."
        yield problem("ranker", said, "go back to what was at work before it", undone)
        return
    if current is None:
        yield Finding("ranker", f"Results are ordered by their signals alone. {_attempted()}")
    else:
        gain = current.figures["candidate"] - current.figures["current"]
        said = f"Ranker {current.name} is at work; it was promoted for a gain of {gain:+.3f}."
        yield Finding("ranker", f"{said} {_attempted()}")


def _attempted() -> str:
    """When it was last tried to learn, and what came of it."""
    attempt = files.read_attempt(folder())
    if not attempt:
        return "Nothing was learned from people's choices yet."
    when, number = str(attempt.get("at", ""))[:10], attempt.get("telling", 0)
    outcome = "promoted" if attempt.get("promoted") else "not promoted"
    return f"Learned last on {when} from {number:,} searches with an outcome: {outcome}."
