"""Making a data set: photos by their SHA-256, a manifest, and what was left out and why.

It is made aside and moved to its place whole; whatever goes wrong, nothing is left behind.
"""

import hashlib
import itertools
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from vision.classifying.snapshot import FORMAT, SPLITS, image_path, thumbnail_path
from vision.decoding import Rendering, UnreadableImage
from vision.decoding.formats import HEAD_BYTES, sniff
from webapp.errors import NoSpace, Refused, TooLarge
from webapp.library.services.decoding import decoders
from webapp.stacks.likeness import SEEN, copies_among, grey_of, print_of
from webapp.teach.datasets.archives import UNREADABLE
from webapp.teach.datasets.contents import (
    FEWEST_CLASSES,
    Contents,
    LeftOut,
    Member,
    label_members,
    shown_name,
)
from webapp.teach.datasets.models import datasets_folder
from webapp.teach.datasets.remarks import remarks_on
from webapp.teach.datasets.splitting import split

FEWEST_PHOTOS = 5  # of a class: one to judge on, one to choose by, three to learn from
BATCH = 64
THUMBNAIL = 160
LISTED = 200  # members left out that are named; the others are counted
CHUNK_BYTES = 1 << 20
UNPACKED = 3  # times what a ZIP may have: more does not come out of one that is full of photos

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A member that lies in a file of its own, not decoded yet."""

    label: str
    member: Member
    path: Path
    sha256: str


@dataclass(slots=True)
class Photo:
    """A photo that was decoded and kept, and every label it came with."""

    sha256: str
    names: list[str]
    print: bytes
    labels: set[str] = field(default_factory=set)


def take(contents: Contents, progress: Progress) -> Path:
    """Make the data set; its folder. Raises `Refused` with why there is none."""
    labelled = label_members(contents)
    datasets_folder().mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=datasets_folder()))
    try:
        taking = _Taking(contents, partial)
        taking.read(labelled.members, progress)
        progress("Comparing the photos with one another", 0, 0)
        return _publish(partial, _manifest(taking, labelled.remarks))
    except OSError as error:
        raise NoSpace(
            f"The data set cannot be written ({error.strerror}). Nothing was kept."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class _Taking:
    """Members become photos in a folder that nobody else knows."""

    def __init__(self, contents: Contents, partial: Path) -> None:
        self.contents, self.partial = contents, partial
        self.photos: dict[str, Photo] = {}
        self.copies = 0  # members with the very bytes of another one
        self._left_bytes = UNPACKED * settings.MAREA_MAX_DATASET_MB << 20
        self._numbers = itertools.count()
        self._incoming = partial / "incoming"
        self._incoming.mkdir()

    def read(self, members: Sequence[tuple[str, Member]], progress: Progress) -> None:
        """Decode every member once and keep what is a photo."""
        for start in range(0, len(members), BATCH):
            batch = members[start : start + BATCH]
            self._keep([each for each in map(self._arrive, batch) if each])
            progress("Reading the photos", start + len(batch), len(members))
        self._incoming.rmdir()

    def _arrive(self, labelled: tuple[str, Member]) -> Arrived | None:
        """Copy a member to a file of its own, if it begins like a photo and is a new one."""
        label, member = labelled
        path = self._incoming / str(next(self._numbers))
        digest = hashlib.sha256()
        try:
            with path.open("wb") as file:
                for chunk in self._chunks(member):
                    digest.update(chunk)
                    file.write(chunk)
        except UnreadableImage as error:
            path.unlink()
            self.contents.leave_out(member.name, error.message)
            return None
        if known := self.photos.get(digest.hexdigest()):
            path.unlink()
            self.copies += 1
            known.labels.add(label)
            known.names.append(member.name)
            return None
        return Arrived(label, member, path, digest.hexdigest())

    def _chunks(self, member: Member) -> Iterator[bytes]:
        """The member's bytes. Raises `UnreadableImage` for what is no photo or cannot be read."""
        try:
            with member.open() as file:
                chunk = file.read(CHUNK_BYTES)
                sniff(chunk[:HEAD_BYTES])
                while chunk:
                    self._spend(len(chunk))
                    yield chunk
                    chunk = file.read(CHUNK_BYTES)
        except UNREADABLE as error:
            raise UnreadableImage("damaged") from error

    def _spend(self, size: int) -> None:
        self._left_bytes -= size
        if self._left_bytes < 0:
            raise TooLarge(
                f"It unpacks to more than {UNPACKED * settings.MAREA_MAX_DATASET_MB:,} MB. Nothing "
                "was kept."
            )

    def _keep(self, arrived: Sequence[Arrived]) -> None:
        seen = decoders().render_many(
            [each.path for each in arrived], network_size=SEEN, thumbnails={"small": THUMBNAIL}
        )
        for each, rendered in zip(arrived, seen, strict=True):
            if isinstance(rendered, UnreadableImage):
                each.path.unlink()
                self.contents.leave_out(each.member.name, rendered.message)
            else:
                self._settle(each, rendered)

    def _settle(self, arrived: Arrived, rendered: Rendering) -> None:
        """Under its hash; a second one of the same batch is a copy."""
        if arrived.sha256 in self.photos:
            self.copies += 1
            arrived.path.unlink()
        else:
            place = image_path(self.partial, arrived.sha256)
            place.parent.mkdir(parents=True, exist_ok=True)
            arrived.path.rename(place)
            small = thumbnail_path(self.partial, arrived.sha256)
            small.parent.mkdir(parents=True, exist_ok=True)
            small.write_bytes(rendered.thumbnails["small"])
            pixels = np.asarray(rendered.pixels)
            self.photos[arrived.sha256] = Photo(arrived.sha256, [], print_of(pixels)[0])
        photo = self.photos[arrived.sha256]
        photo.labels.add(arrived.label)
        photo.names.append(arrived.member.name)


def _manifest(taking: _Taking, remarks: Sequence[str]) -> dict[str, Any]:
    """All that is known of the data set. Raises `Refused` when too little is left."""
    certain = [photo for photo in taking.photos.values() if len(photo.labels) == 1]
    doubtful = [photo for photo in taking.photos.values() if len(photo.labels) > 1]
    counts = Counter(next(iter(photo.labels)) for photo in certain)
    labels = sorted(label for label, count in counts.items() if count >= FEWEST_PHOTOS)
    few = {label: count for label, count in sorted(counts.items()) if count < FEWEST_PHOTOS}
    _check(labels, counts, taking.contents)
    place = {label: number for number, label in enumerate(labels)}
    kept = sorted(
        (photo for photo in certain if next(iter(photo.labels)) in place),
        key=lambda photo: photo.sha256,
    )
    numbers = [place[next(iter(photo.labels))] for photo in kept]
    greys = np.stack([grey_of(photo.print) for photo in kept])
    pairs = copies_among(greys)
    sides = split(numbers, [photo.sha256 for photo in kept], pairs)
    said = remarks_on(
        labels=labels,
        numbers=numbers,
        sides=sides,
        pairs=pairs,
        too_few=few,
        two_labels=[(sorted(photo.labels), shown_name(photo.names[0])) for photo in doubtful],
        copies=taking.copies,
    )
    return {
        "format": FORMAT,
        "labels": labels,
        "photos": [[p.sha256, n, s] for p, n, s in zip(kept, numbers, sides.sides, strict=True)],
        "counts": {label: counts[label] for label in labels},
        "sides": {side: sum(each == side for each in sides.sides) for side in SPLITS},
        "remarks": [*remarks, *said],
        "left_out": _left_out(taking.contents),
    }


def _check(labels: Sequence[str], counts: Counter[str], contents: Contents) -> None:
    if len(labels) >= FEWEST_CLASSES:
        return
    why = Counter(each.why for each in contents.left_out).most_common(1)
    reason = f" Most of what was left out: {why[0][0]}" if why else ""
    raise Refused(
        f"Too few photos: of {len(counts):,} classes {len(labels):,} have at least {FEWEST_PHOTOS} "
        f"different photos that can be read, and two are needed.{reason} Nothing was kept.",
        code="too_few_photos",
    )


def _left_out(contents: Contents) -> dict[str, Any]:
    counts = Counter(each.why for each in contents.left_out)
    return {
        "photos": len(contents.left_out),
        "litter": contents.litter,
        "reasons": dict(counts.most_common()),
        "named": [_named(each) for each in contents.left_out[:LISTED]],
    }


def _named(left_out: LeftOut) -> list[str]:
    return [left_out.name, left_out.why]


def _publish(partial: Path, manifest: dict[str, Any]) -> Path:
    """Name the folder by labels, photos and sides; the same ones are one data set."""
    learned = [manifest["labels"], manifest["photos"]]
    text = json.dumps(learned, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    manifest["digest"] = digest
    to = datasets_folder() / digest
    _drop_others(partial, {sha256 for sha256, _, _ in manifest["photos"]})
    content = json.dumps(manifest, ensure_ascii=False, indent=1)
    (partial / "manifest.json").write_text(content, encoding="utf-8")
    if not to.exists():
        partial.chmod(0o755)
        partial.rename(to)
    return to


def _drop_others(partial: Path, kept: set[str]) -> None:
    """Photos of classes with too few, and those under two labels, are in no manifest."""
    for folder in ("images", "thumbnails"):
        for path in (partial / folder).glob("*/*"):
            if path.name not in kept:
                path.unlink()
