"""What an administrator should know about the models, in words: what is at work, how good it is on
this library, what waits, and what people corrected since it was last taught."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.teach.job_models import ModelJob
from webapp.teach.judging.bootstrap import FEWEST
from webapp.teach.judging.measures import ranks, right
from webapp.teach.judging.sample import held_out_sample
from webapp.teach.judging.seen import seen_by
from webapp.teach.models import Correction, ModelVersion
from webapp.teach.runs.models import TrainingRun
from webapp.teach.switching.models import Activation

TOP = 10
NAMED = 5
WORTH_TEACHING = 20  # corrections; a training on fewer changes little
Kind = Correction.Kind


@dataclass(frozen=True)
class Standing:
    """How good a version is, by what people said about photos that no training learns from."""

    sentence: str
    share: float | None  # 0 to 1; None while too little is known


@dataclass(frozen=True)
class Since:
    """What people said since a training last learnt from them."""

    total: int
    added: list[tuple[str, int]]  # tags that were given, with how often
    rejected: list[tuple[str, int]]
    captions: int
    sentence: str


def standing(version: ModelVersion) -> list[Standing]:
    """Of the active version."""
    sample = held_out_sample(version)
    seen = seen_by(version, sample.photo_ids)
    tags = right(seen, sample.said)
    found = ranks(seen, sample.captions) if len(seen) else np.zeros(0)
    return [
        _of_tags(len(tags), float(tags.mean()) if len(tags) else 0.0),
        _of_search(len(found), float((found >= 1.0 / TOP).mean()) if len(found) else 0.0),
    ]


def _of_tags(photos: int, share: float) -> Standing:
    if photos < FEWEST:
        return Standing(
            f"How good its tags are nobody can say yet: people corrected tags on {photos} of the "
            f"photos that are kept for judging, and {FEWEST} are needed.",
            None,
        )
    return Standing(
        f"Of what people said about tags, it says {_of_ten(share)} itself ({photos:,} photos kept "
        "for judging).",
        share,
    )


def _of_search(photos: int, share: float) -> Standing:
    if photos < FEWEST:
        return Standing(
            f"How well it finds photos nobody can say yet: people wrote captions for {photos} of "
            f"the photos that are kept for judging, and {FEWEST} are needed.",
            None,
        )
    return Standing(
        f"Asked with a caption that somebody wrote, it has the photo among the first {TOP} "
        f"{_of_ten(share)} times ({photos:,} photos kept for judging).",
        share,
    )


def _of_ten(share: float) -> str:
    return f"about {round(10 * share)} of 10"


def since_training(user: User) -> Since:
    """Corrections that still stand and that no finished training has learnt from. They are counted
    for everybody, but named only where they are about the user's own photos."""
    last = TrainingRun.objects.done().order_by("-last_correction").first()
    standing_now = Correction.objects.standing().filter(pk__gt=last.last_correction if last else 0)
    kinds = Counter(standing_now.values_list("kind", flat=True))
    rows = list(standing_now.visible_to(user).values_list("kind", "value"))
    added = Counter(value for kind, value in rows if kind in (Kind.ADD_TAG, Kind.CONFIRM_TAG))
    rejected = Counter(value for kind, value in rows if kind == Kind.REJECT_TAG)
    captions, total = kinds[Kind.CAPTION], kinds.total()
    return Since(
        total=total,
        added=added.most_common(NAMED),
        rejected=rejected.most_common(NAMED),
        captions=captions,
        sentence=_likely(total, added, rejected, captions),
    )


def _likely(total: int, added: Counter[str], rejected: Counter[str], captions: int) -> str:
    """What a training on these would likely change."""
    if not total:
        return "Nobody has corrected anything since the last training. There is nothing to learn."
    if total < WORTH_TEACHING:
        return (
            f"That is little to learn from: a training on fewer than {WORTH_TEACHING} corrections "
            "will change hardly anything."
        )
    likely = []
    if added:
        likely.append(f"say {_listed(added)} more often")
    if rejected:
        likely.append(f"say {_listed(rejected)} less often where it is wrong")
    if captions:
        likely.append("find photos better by words like those that people wrote")
    return f"A training would likely make it {', and '.join(likely or ['follow them'])}."


def _listed(names: Counter[str]) -> str:
    return ", ".join(f"“{name}”" for name, _ in names.most_common(3))


def waiting() -> list[str]:
    """What is in hand or waits, in sentences."""
    photos = Photo.objects.waiting().count()
    found = [f"{photos:,} photo{'s wait' if photos != 1 else ' waits'} to be looked at."]
    if not photos:
        found = ["Every photo has been looked at, or was set aside with its reason."]
    found += [
        f"{job.get_kind_display()} {job.subject}: {job.get_state_display()}."
        for job in ModelJob.objects.unfinished().order_by("pk")
    ]
    return found


def switches(count: int = 5) -> Sequence[Activation]:
    """The last switches, newest first."""
    return list(Activation.objects.select_related("user").order_by("-pk")[:count])
