"""Pull a model: fetch and verify its files, make a version of them, try it, publish it.

Interrupted at any moment, a pull goes on where it was, and no half version is ever left. Loads
torch; what the web process may know is in `vision.pulling.catalogue`.
"""

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision.errors import PullError, VisionError
from vision.pulling import pins
from vision.pulling.catalogue import CATALOGUE, Pullable
from vision.pulling.fetching import address_of, fetch
from vision.sight import Image
from vision.versions import Version

logger = logging.getLogger(__name__)

# Called with (what is being done, how much of it is done, how much it is in all).
Progress = Callable[[str, int, int], object]

PARTS = ("backbone", "text", "embedding", "tags", "captions")


def silent(step: str, done: int, total: int) -> None:
    """The progress callback of those who do not listen."""


@dataclass(frozen=True, slots=True)
class Pulling:
    """Where pulled models go. `base` lends the parts that a model does not bring; `mirror` stands
    in for every host; `photos` gives some of the owner's, for models that are fitted to them."""

    models: Path
    base: Version
    mirror: str = ""
    photos: Callable[[], Sequence[Image]] = list
    progress: Progress = silent
    catalogue: dict[str, Pullable] = field(default_factory=lambda: CATALOGUE)

    @property
    def downloads(self) -> Path:
        return self.models / ".downloads"


def wanted(name: str, catalogue: dict[str, Pullable]) -> Pullable:
    """Raises PullError for a name that the catalogue lacks."""
    if name not in catalogue:
        known = ", ".join(sorted(catalogue))
        raise PullError(f"{name} cannot be pulled. There are: {known}.")
    return catalogue[name]


def pull(name: str, config: Pulling) -> Path:
    """Bring the model `name` as a version; its folder. Raises VisionError with the reason."""
    entry = wanted(name, config.catalogue)
    target = config.models / entry.name
    if target.exists():
        raise PullError(f"{entry.name} is here already. Delete {target} first to pull it anew.")
    _check_extra(entry)
    folder = config.downloads / entry.name
    _fetch_all(entry, folder, config)
    config.progress(f"Making a version of {entry.title}", 0, 0)
    try:
        _publish(entry, folder, target, config)
    except VisionError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    logger.info("pulled name=%s", entry.name)
    return target


def _check_extra(entry: Pullable) -> None:
    """Say what is missing before hundreds of megabytes are fetched."""
    from vision.strong.extra import transformers

    if entry.maker != "inception-v3":
        transformers()


def _fetch_all(entry: Pullable, folder: Path, config: Pulling) -> None:
    for number, file in enumerate(entry.files, start=1):
        step = f"Fetching {entry.title}, file {number} of {len(entry.files)}"

        def tell(done: int, total: int, step: str = step) -> None:
            config.progress(step, done, total)

        known = config.models / "pins.json"
        digest = fetch(
            file, folder, mirror=config.mirror, sha256=pins.pinned(known, file), progress=tell
        )
        pins.pin(known, file, digest)


def _publish(entry: Pullable, fetched: Path, target: Path, config: Pulling) -> None:
    from vision.pulling.making import MAKERS
    from vision.training.publish import Draft

    scratch = fetched / "draft"
    shutil.rmtree(scratch, ignore_errors=True)
    draft = Draft.start(entry.name, scratch, base=None if entry.needs_adopting else config.base)
    photos = [] if entry.needs_adopting else config.photos()
    figures = MAKERS[entry.maker](fetched, draft, photos)
    for part in entry.gives:
        draft.parts[part] = draft.parts[part] | {"source": source(entry, config)}
    metrics = {"pulled": figures}
    if not entry.needs_adopting:
        try_out(draft.publish(fetched / "trial" / entry.name, metrics=metrics, card=""))
    draft.publish(target, metrics=metrics, card=card(entry, config))


def try_out(folder: Path) -> None:
    """Let a version look once, so that what does not work is never published."""
    from vision.eye import load_eye
    from vision.text_encoder import load_text_encoder

    (sight,) = load_eye(folder, device="cpu").look([np.full((64, 64, 3), 128, dtype=np.uint8)])
    text = load_text_encoder(folder).encode(["a photo"])
    if not (np.isfinite(sight.embedding).all() and np.isfinite(text).all()):
        raise PullError(f"{folder.name} was refused: what it sees and reads are not numbers.")


def source(entry: Pullable, config: Pulling) -> dict[str, Any]:
    """Where a model is from and what its files were, for the manifest."""
    known = config.models / "pins.json"
    return {
        "model": entry.title,
        "licence": entry.licence,
        "sha256": {file.path: pins.pinned(known, file) for file in entry.files},
    }


CARD = """\
# {name}

{title}, pulled from elsewhere: {about}

Licence: {licence}. It brings {gives}; the other parts are of {base}.

{files}

Weights are kept as float16. Figures of its making are in `metrics.json`; how well it does on photos
was not measured here: `manage.py evaluate all` does.
"""


def card(entry: Pullable, config: Pulling) -> str:
    known = config.models / "pins.json"
    files = "\n".join(
        f"- {address_of(file, config.mirror)} (SHA-256 {pins.pinned(known, file)})"
        for file in entry.files
    )
    base = "none: they come by `models adopt`" if entry.needs_adopting else config.base.name
    return CARD.format(
        name=entry.name,
        title=entry.title,
        about=entry.about,
        licence=entry.licence,
        gives=" and ".join(entry.gives),
        base=base,
        files=files,
    )
