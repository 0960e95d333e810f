"""The verdict on a version, and the gate that asks for it."""

from collections.abc import Callable, Sequence

from vision.errors import NotFinite, VisionError, WeightsError
from vision.versions import open_version
from webapp.errors import Refused
from webapp.library.models import Photo
from webapp.teach.judging.drawn import drawn_pictures
from webapp.teach.judging.measures import Measure, measures
from webapp.teach.judging.sample import held_out_sample
from webapp.teach.judging.seen import SeenBy, seen_by
from webapp.teach.judging.soundness import ENOUGH, no_numbers, unsound
from webapp.teach.models import ModelVersion
from webapp.teach.switching.models import Verdict
from webapp.teach.switching.relooking import Looks, Tell, look_at
from webapp.teach.versions.active import active_version, digest_of, weights_folder

SHORTEST_REASON = 10  # characters
JUDGING = "Looking at photos that were held out"
Outcome = Verdict.Outcome


def judge(
    version: ModelVersion,
    load: Callable[[], Looks],
    *,
    tell: Tell,
    against: ModelVersion | None = None,
) -> Verdict:
    """Let `version` look at the held-out photos and compare it with the active one, or another that
    has looked at them. What it sees is kept, so nothing is looked at twice. Its weights must have
    been verified."""
    active = against or active_version()
    sample = held_out_sample(active)
    photo_ids = _with_others(active, sample.photo_ids)
    reasons = _unreadable(version)
    if not reasons and not photo_ids:
        reasons = _by_pictures(load())
    if not reasons:
        reasons = _look(version, photo_ids, load, tell)
    if not reasons:
        reasons = unsound(*_both(active, version, photo_ids), version.metrics)
    if reasons:
        return _store(version, active, Outcome.UNFIT, reasons, [], 0)
    old, new = _both(active, version, sample.photo_ids)
    found = measures(old, new, sample.among(new.photo_ids))
    worse = [_sentence(each, active.name) for each in found if each.is_worse]
    return _store(version, active, Outcome.WORSE if worse else Outcome.FIT, worse, found, len(new))


def _with_others(active: ModelVersion, held_out: Sequence[int]) -> list[int]:
    """In a small library other photos as well, for what asks no one's opinion."""
    lacking = max(0, 2 * ENOUGH - len(held_out))
    others = Photo.objects.searchable().filter(sights__version=active).exclude(pk__in=held_out)
    return sorted([*held_out, *others.order_by("sha256").values_list("pk", flat=True)[:lacking]])


def _both(
    one: ModelVersion, other: ModelVersion, photo_ids: Sequence[int]
) -> tuple[SeenBy, SeenBy]:
    """Of the photos that both have looked at."""
    common = set(seen_by(one, photo_ids).photo_ids) & set(seen_by(other, photo_ids).photo_ids)
    return seen_by(one, sorted(common)), seen_by(other, sorted(common))


def _look(
    version: ModelVersion, photo_ids: Sequence[int], load: Callable[[], Looks], tell: Tell
) -> list[str]:
    """Look at the photos; what is wrong with what it sees, as far as it cannot even be kept."""
    try:
        look_at(version, photo_ids, load, tell=lambda done, total: tell(JUDGING, done, total))
    except NotFinite as error:
        return [str(error)]
    return []


def _unreadable(version: ModelVersion) -> list[str]:
    """Weights that are no numbers, which no look needs to show."""
    try:
        opened = open_version(weights_folder(version))
        for file in opened.manifest["files"]:
            if file.endswith(".safetensors"):
                opened.arrays(file)
    except NotFinite as error:
        return [str(error)]
    except WeightsError:
        return []  # of a kind that is not read here; what looks says more
    return []


def _by_pictures(eye: Looks) -> list[str]:
    """In a library without photos, what can be said of drawn ones."""
    try:
        seen = eye.look(drawn_pictures(eye.input_size))
    except VisionError as error:
        return [f"It cannot look at pictures: {error}"]
    reason = no_numbers([each.embedding for each in seen], [dict(each.tags) for each in seen])
    return [reason] if reason else []


def _sentence(measure: Measure, active: str) -> str:
    return (
        f"{measure.title}: {measure.new:.0%}, where {active} reaches {measure.old:.0%}; that is "
        f"beyond what luck explains ({measure.low:+.0%} to {measure.high:+.0%} on {measure.n:,} "
        "photos)."
    )


def _store(
    version: ModelVersion,
    active: ModelVersion,
    outcome: str,
    reasons: Sequence[str],
    found: Sequence[Measure],
    photos: int,
) -> Verdict:
    return Verdict.objects.create(
        version=version,
        against=active,
        digest=digest_of(version),
        against_digest=digest_of(active),
        outcome=outcome,
        reasons=list(reasons),
        measures=[each.as_json() for each in found],
        photos=photos,
    )


def latest_verdict(version: ModelVersion, against: ModelVersion) -> Verdict | None:
    """On these very weights, beside those of `against`."""
    of_these = Verdict.objects.filter(version=version, digest=digest_of(version))
    beside = of_these.filter(against=against, against_digest=digest_of(against))
    return beside.order_by("-pk").first()


def check_gate(version: ModelVersion, reason: str = "") -> None:
    """Raises `Refused` with why `version` may not take over from the active one. A `reason` that
    somebody typed opens the gate for a version that is worse, never for one that is unfit."""
    verdict = latest_verdict(version, active_version())
    if verdict is None:
        raise Refused(
            f"{version.name} has not been judged beside the version at work. Nothing was changed."
        )
    why = " ".join(verdict.reasons)
    if verdict.outcome == Outcome.UNFIT:
        raise Refused(f"{version.name} must not be put to work. {why} Nothing was changed.")
    if verdict.outcome == Outcome.WORSE and len(reason.strip()) < SHORTEST_REASON:
        raise Refused(
            f"{version.name} is worse than the version at work. {why} An administrator may put it "
            "to work all the same by giving a reason. Nothing was changed."
        )
