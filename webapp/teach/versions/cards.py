"""A model version as its card tells: where it comes from, what it is made of, how it was judged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.pulling.catalogue import CATALOGUE
from webapp.teach.judging.verdicts import latest_verdict
from webapp.teach.models import ModelVersion
from webapp.teach.runs.models import TrainingRun
from webapp.teach.switching.models import Verdict
from webapp.teach.versions.active import active_version
from webapp.teach.versions.folders import Known, known_versions

MOST_CARD = 20_000  # characters of a card that are shown
SHORT = 12  # of a digest, for people
SHIPPED_LICENCE = "as Marea; see its card for the data"


@dataclass(frozen=True)
class Card:
    """What is known of one version; `row` is None for one that was never used."""

    known: Known
    row: ModelVersion | None
    run: TrainingRun | None
    verdict: Verdict | None
    is_previous: bool
    text: str

    @property
    def name(self) -> str:
        return self.known.name

    @property
    def parent(self) -> str:
        """The version whose parts it goes on from."""
        if self.run and self.run.base:
            return self.run.base.name
        return str(self.known.metrics.get("adopted", {}).get("from", ""))

    @property
    def made_by(self) -> str:
        return self.run.who if self.run else ""

    @property
    def licence(self) -> str:
        entry = CATALOGUE.get(self.name)
        return entry.licence if entry else SHIPPED_LICENCE

    @property
    def digest(self) -> str:
        return self.row.digest[:SHORT] if self.row else ""

    @property
    def snapshot(self) -> str:
        return self.run.snapshot[:SHORT] if self.run else ""

    @property
    def can_start(self) -> bool:
        """Whether its button may be pressed: an unfit version's never is."""
        is_unfit = self.verdict is not None and self.verdict.outcome == Verdict.Outcome.UNFIT
        return not self.known.is_active and not self.known.lacks and not is_unfit

    @property
    def needs_reason(self) -> bool:
        return self.verdict is not None and self.verdict.outcome == Verdict.Outcome.WORSE


def cards() -> list[Card]:
    """Of every version on this machine, the active one first, then the newest."""
    active = active_version()
    rows = {version.name: version for version in ModelVersion.objects.all()}
    runs = {
        run.version_id: run
        for run in TrainingRun.objects.exclude(version=None).select_related("user", "base")
    }
    previous = _previous_name()
    found = []
    for known in known_versions():
        row = rows.get(known.name)
        found.append(
            Card(
                known=known,
                row=row,
                run=runs.get(row.pk) if row else None,
                verdict=latest_verdict(row, active) if row and row != active else None,
                is_previous=known.name == previous,
                text=_card_text(known.folder),
            )
        )
    return sorted(found, key=_order)


def _order(card: Card) -> tuple[Any, ...]:
    made = -card.row.created_at.timestamp() if card.row else 0.0
    return not card.known.is_active, not card.is_previous, made, card.name


def _previous_name() -> str:
    earlier = ModelVersion.objects.filter(is_active=False).exclude(activated_at=None)
    previous = earlier.order_by("-activated_at").first()
    return previous.name if previous else ""


def _card_text(folder: Path) -> str:
    """Its model card as text, which may be anybody's: templates escape it."""
    try:
        with (folder / "card.md").open(encoding="utf-8", errors="replace") as file:
            return file.read(MOST_CARD)
    except OSError:
        return ""
