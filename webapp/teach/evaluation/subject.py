"""A model version under measurement."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from search.known import KnownWords
from vision.collection import Collection
from vision.errors import UnknownNetwork
from vision.versions import WEIGHTS, Version, open_version, shipped_versions
from webapp.find.query.embedding import read_known_words
from webapp.teach.versions.folders import folder_to_measure, models_folder

if TYPE_CHECKING:
    from vision.evaluation.retrieval import Seen
    from vision.eye import Eye
    from vision.text_encoder import TextEncoder


class Subject:
    """A version that is loaded once and looks at each split once, however much is measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[tuple[Path, str], Seen] = {}

    @cached_property
    def version(self) -> Version:
        return open_version(self.folder)

    @property
    def backbone(self) -> str:
        """The name of the version's backbone, such as "efficientnet-lite2"."""
        return str(self.version.part("backbone")["name"])

    @cached_property
    def eye(self) -> "Eye":
        from vision.eye import load_eye

        return load_eye(self.folder)

    @cached_property
    def text_encoder(self) -> "TextEncoder":
        from vision.text_encoder import load_text_encoder

        return load_text_encoder(self.folder)

    @cached_property
    def known_words(self) -> KnownWords:
        return read_known_words(self.version)

    def seen(self, collection: Path, split: str) -> "Seen":
        """What the version sees in each photo of a split. Raises DataMissing."""
        from vision.evaluation.retrieval import look_at_split

        key = (collection.resolve(), split)
        if key not in self._seen:
            self._seen[key] = look_at_split(Collection(collection), split, self.eye)
        return self._seen[key]


def active_subject() -> Subject:
    """The version at work; in a clone that was never run, the one that ships."""
    return Subject(folder_to_measure())


def subject_with(backbone: str) -> Subject:
    """The newest version with a backbone of that name. Raises UnknownNetwork."""
    folders = [WEIGHTS / name for name in shipped_versions()]
    folders += [path.parent for path in models_folder().glob("*/manifest.json")]
    subjects = sorted(map(Subject, folders), key=lambda each: each.folder.name, reverse=True)
    found = next((each for each in subjects if each.backbone == backbone), None)
    if found is None:
        known = ", ".join(sorted({each.backbone for each in subjects}))
        raise UnknownNetwork(
            f"No model version has the backbone {backbone!r}; there are versions with {known}."
        )
    return found
