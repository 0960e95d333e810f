"""What the pages Train and Runs are made of."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator

from webapp.teach.datasets.models import DataSet
from webapp.teach.job_models import ModelJob
from webapp.teach.models import Correction
from webapp.teach.runs.curves import plots_of
from webapp.teach.runs.kinds import KINDS, Kind
from webapp.teach.runs.models import TrainingRun, TrainingRunQuerySet

BUSY_POLL_S = 2
LINES_SHOWN = 100
RUNS_A_PAGE = 25
DATA_SET = "data_set"  # the parameter that names one
KIND_WORDS = {
    Correction.Kind.ADD_TAG: ("tag added", "tags added"),
    Correction.Kind.CONFIRM_TAG: ("tag confirmed", "tags confirmed"),
    Correction.Kind.REJECT_TAG: ("tag rejected", "tags rejected"),
    Correction.Kind.CAPTION: ("caption written", "captions written"),
}


@dataclass(frozen=True)
class Offer:
    """One kind of training as the page Train shows it."""

    kind: Kind
    news: str
    last: TrainingRun | None
    unfinished: TrainingRun | None


def offers() -> list[Offer]:
    """Everything that can be trained here."""
    return [_offer(kind) for kind in KINDS.values() if kind.is_on_page]


def _offer(kind: Kind) -> Offer:
    runs = _runs().filter(kind=kind.name)
    last = runs.done().order_by("-pk").first()
    unfinished = runs.unfinished().order_by("-pk").first()
    return Offer(kind, news_of(kind, last), last, unfinished)


def news_of(kind: Kind, last: TrainingRun | None) -> str:
    """How much people said since the last training, and what that will likely change. No words of
    theirs: what one person calls things is no business of another's."""
    if not kind.learns_from:
        return "It needs no corrections: it learns from what the present version sees."
    since = "since the last training" if last else "so far"
    corrections = Correction.objects.standing().filter(
        kind__in=kind.learns_from, pk__gt=last.last_correction if last else 0
    )
    counts = Counter(corrections.values_list("kind", flat=True))
    if not counts:
        return f"No corrections {since}: a training would hardly change anything."
    photos = corrections.values("photo").distinct().count()
    told = [
        f"{counts[each]:,} {KIND_WORDS[each][counts[each] != 1]}"
        for each in KIND_WORDS
        if counts[each]
    ]
    on = f"on {photos:,} photo{'' if photos == 1 else 's'}"
    return f"{_listed(told)} {on} {since}. Likely to change: {kind.changes}."


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _runs() -> TrainingRunQuerySet:
    return TrainingRun.objects.select_related("job", "user", "version", "base")


def page_of_runs(number: str | None) -> "Page[TrainingRun]":
    """Runs, newest first."""
    return Paginator(_runs().order_by("-pk"), RUNS_A_PAGE).get_page(number)


def run_named(number: int) -> TrainingRun | None:
    return _runs().filter(pk=number).first()


def shown(run: TrainingRun) -> dict[str, Any]:
    """A run's page."""
    state = run.job.state
    busy = state in (ModelJob.State.WAITING, ModelJob.State.RUNNING)
    lines = list(run.lines.order_by("-pk")[:LINES_SHOWN])
    return {
        "run": run,
        "kind_title": title_of(run),
        "plots": plots_of(run),
        "lines": lines[::-1],
        "time_left": words_for(run.seconds_left),
        "is_busy": busy,
        "can_go_on": state in (ModelJob.State.FAILED, ModelJob.State.STOPPED),
        "poll_s": BUSY_POLL_S if busy else 0,
        "settings": settings_of(run),
        "data_set": data_set_of(run),
        "figures": [(name.capitalize(), f"{value:.4g}") for name, value in run.figures.items()],
    }


def title_of(run: TrainingRun) -> str:
    kind = KINDS.get(run.kind)
    return kind.title if kind else run.kind


def settings_of(run: TrainingRun) -> list[tuple[str, object]]:
    """The run's parameters, named as on the page Train where they are settings; its data set is
    shown beside them."""
    kind = KINDS.get(run.kind)
    chosen = {name: value for name, value in run.parameters.items() if name != DATA_SET}
    named = [(kind.label(name) if kind else name, value) for name, value in chosen.items()]
    return [*named, ("Seed", run.seed)]


def data_set_of(run: TrainingRun) -> DataSet | None:
    """What it learns from that somebody brought, unless that is gone for good."""
    number = run.parameters.get(DATA_SET)
    return DataSet.objects.filter(pk=number).first() if number else None


def words_for(seconds: float | None) -> str:
    """A time in words that promise no more than is known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    return f"about {round(minutes / 60)} hours"
