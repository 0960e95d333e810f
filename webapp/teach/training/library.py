"""The owner's photos and what people said of them, as trainings read them.

A held-out photo is never among them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.eye import Eye, load_eye
from vision.sight import Image
from vision.training.owned.features import Load, OwnedFeatures
from vision.training.publish import Draft
from vision.versions import Version, open_version
from webapp.library.models import Photo, PhotoQuerySet
from webapp.teach.models import Correction, PhotoTag
from webapp.teach.runs.holdout import Part, is_held_out, part_of
from webapp.teach.runs.snapshots import keep_snapshot, read_snapshot, training_folder
from webapp.teach.services import active_version, weights_folder
from webapp.teach.versions.fetched import load_photos
from webapp.teach.versions.folders import models_folder

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller

Snapshot = dict[str, Any]
SeenWords = dict[str, dict[str, bool]]  # what people said, by photo and word

CARD = """\
# {name}

`{base}`, of which the part “{kind}” was trained again on the library of this installation: on
{corrections} corrections by the people here and {photos} photos, none of which is part of the
version. Asked for because: {why}

Data snapshot `{snapshot}`, code {code}, seed {seed}, settings {parameters}. A fifth of all photos
is held out from every training, so that versions can be compared on them. What the other parts are,
learned from and cannot do is on the card of `{base}`.
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where one run works: the version it goes on from, its eye, and what it sees in photos."""

    run: "TrainingRun"
    tell: "Teller"
    base: Version
    eye: Eye
    features: OwnedFeatures

    @classmethod
    def of(cls, run: "TrainingRun", tell: "Teller") -> "Bench":
        base = open_version(weights_folder(run.base or active_version()))
        eye = load_eye(base.folder)
        features = OwnedFeatures.of(base, eye, training_folder() / "features")
        return cls(run, tell, base, eye, features)

    def look(self, photos: Sequence[str]) -> set[str]:
        """Which of the photos could be read; all of them are looked at now."""
        told = partial(self.tell.step, "Looking at photos")
        return set(self.features.look(photos, self.load(photos), told=told))

    def load(self, photos: Sequence[str]) -> Load:
        """What reads these photos; those that were deleted meanwhile cannot be read."""
        return partial(_load, pks=numbers_of(photos), size=self.eye.input_size)

    def publish(self, draft: Draft, figures: Mapping[str, float], *, remark: str = "") -> str:
        """The draft as a version of this machine; its name. A remark ends its card."""
        run = self.run
        self.tell.step("Publishing")
        for name, value in figures.items():
            self.tell.say(f"{name}: {value:g}")
        run.figures = dict(figures)
        card = CARD.format(
            name=draft.name,
            base=self.base.name,
            kind=run.kind,
            corrections=run.corrections,
            photos=run.photos,
            why=run.why,
            snapshot=run.snapshot,
            code=run.code,
            seed=run.seed,
            parameters=run.parameters,
        )
        card += f"\n{remark}\n" if remark else ""
        models_folder().mkdir(parents=True, exist_ok=True)
        metrics = {"trained": {"kind": run.kind, "base": self.base.name, "figures": figures}}
        draft.publish(models_folder() / draft.name, metrics=metrics, card=card)
        return draft.name


def work_folder(run: "TrainingRun") -> Path:
    """Where a run keeps its checkpoint and its draft."""
    return training_folder() / "runs" / str(run.pk)


def snapshot_of(run: "TrainingRun", gather: Callable[[], Snapshot]) -> Snapshot:
    """What the run learns from: as an earlier attempt kept it, or gathered and kept now.

    It has at least `learned`, `judged` and `others`, photos each, and the ids of `corrections`.
    """
    if not run.snapshot:
        content = gather()
        run.snapshot = keep_snapshot(content)
        run.photos = sum(len(content[part]) for part in ("learned", "judged", "others"))
        run.corrections = len(content["corrections"])
        run.save(update_fields=["snapshot", "photos", "corrections"])
    return read_snapshot(run.snapshot)


def usable_photos() -> PhotoQuerySet:
    """Photos that were looked at and are not in the trash."""
    return Photo.objects.filter(state=Photo.State.READY, trashed_at=None)


def numbers_of(photos: Iterable[str]) -> dict[str, int]:
    """A row for each photo by its SHA-256; what was deleted meanwhile has none."""
    wanted = list(photos)
    found: dict[str, int] = {}
    for start in range(0, len(wanted), 500):
        some = usable_photos().filter(sha256__in=wanted[start : start + 500])
        found |= dict(some.values_list("sha256", "pk"))
    return found


def some_others(spoken: Iterable[str], most: int) -> list[str]:
    """Photos that nobody spoke of, none of them held out: as many as `most`, chosen by their bytes,
    so that two trainings choose alike."""
    known = set(spoken)
    every = usable_photos().order_by("sha256").values_list("sha256", flat=True).distinct()
    free = [sha for sha in every.iterator() if sha not in known and not is_held_out(sha)]
    every_nth = max(1, len(free) // most)
    return free[::every_nth][:most]


def spoken_tags() -> SeenWords:
    """What people said of tags: words that photos show, or do not. Where people contradict one
    another about the same bytes, nothing is known."""
    rows = PhotoTag.objects.filter(version=None, photo__in=usable_photos())
    told: dict[str, dict[str, set[bool]]] = defaultdict(lambda: defaultdict(set))
    for sha, word, source in rows.values_list("photo__sha256", "tag__name", "source"):
        told[sha][word].add(source == PhotoTag.Source.PERSON)
    return {
        sha: {word: shows.pop() for word, shows in words.items() if len(shows) == 1}
        for sha, words in told.items()
    }


def captions_written(owners: Collection[int] | None = None) -> dict[str, list[str]]:
    """What people wrote, or only these, by photo: several where several people have the same."""
    rows = usable_photos().exclude(own_caption="").order_by("pk")
    if owners is not None:
        rows = rows.filter(owner__in=owners)
    found: dict[str, list[str]] = {}
    for sha, caption in rows.values_list("sha256", "own_caption"):
        own = found.setdefault(sha, [])
        if caption not in own:
            own.append(caption)
    return found


def corrections_of(photos: Iterable[str], kinds: Iterable[str], *, up_to: int) -> list[int]:
    """Ids of the corrections of these photos that a snapshot stands on."""
    known = set(photos)
    found = Correction.objects.filter(kind__in=list(kinds), pk__lte=up_to).order_by("pk")
    rows = found.values_list("pk", "photo__sha256")
    return [pk for pk, sha in rows.iterator() if sha in known]


def split(photos: Iterable[str]) -> tuple[list[str], list[str]]:
    """Photos to learn from and to judge by, ordered by their hashes; held-out ones are left out."""
    ordered = sorted(photos)
    learned = [sha for sha in ordered if part_of(sha) is Part.TRAINING]
    judged = [sha for sha in ordered if part_of(sha) is Part.VALIDATION]
    return learned, judged


def _load(photos: Sequence[str], *, pks: Mapping[str, int], size: int) -> list[Image | None]:
    return load_photos([pks.get(photo, 0) for photo in photos], size=size)
