"""The kinds of training that people can ask for.

A kind is one module in `webapp/teach/training` with a function `train(run, tell)` that returns the
name of the version it published. It is named here by its place, as it loads torch and this module
is loaded by the web process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from webapp.errors import NotFound, Refused

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller

Train = Callable[["TrainingRun", "Teller"], str]


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that an administrator may change; the default suits everybody else."""

    name: str
    label: str
    default: float
    least: float
    most: float
    about: str = ""

    @property
    def is_whole(self) -> bool:
        return isinstance(self.default, int)

    def read(self, value: object) -> float:
        """The value as a number. Raises `Refused` when it is none, or beyond the bounds."""
        try:
            number = float(str(value))
        except ValueError:
            number = float("nan")
        if not self.least <= number <= self.most:
            raise Refused(
                f"{self.label} must be between {self.least:g} and {self.most:g}. "
                "Nothing was started.",
                field=self.name,
            )
        return int(number) if self.is_whole else number


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be trained. `place` is "module:function"."""

    name: str
    title: str
    about: str
    place: str
    settings: tuple[Setting, ...] = ()
    learns_from: tuple[str, ...] = ()  # kinds of `Correction`
    changes: str = ""  # what a training will likely change, after "Likely to change: "
    is_on_page: bool = True  # Train offers it; others are asked for where their data is
    words: Mapping[str, str] = field(default_factory=dict)  # labels of other parameters

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`given` with every setting as a number, defaults where it is not. Raises `Refused`."""
        self._check_names(given)
        settings = {
            each.name: each.read(given.get(each.name, each.default)) for each in self.settings
        }
        return {**given, **settings}

    def _check_names(self, given: Mapping[str, Any]) -> None:
        known = [*(each.name for each in self.settings), *self.words]
        if odd := sorted(given.keys() - {*known}):
            raise Refused(
                f"{self.title} has no setting {odd[0]}; there are {', '.join(known) or 'none'}. "
                "Nothing was started."
            )

    def label(self, name: str) -> str:
        """A parameter as people read it."""
        labels = {each.name: each.label for each in self.settings} | {**self.words}
        return labels.get(name, name.replace("_", " ").capitalize())

    def load(self) -> Train:
        """The function that trains. Loads torch."""
        module, _, function = self.place.partition(":")
        train: Train = getattr(import_module(module), function)
        return train


OTHERS = Setting(
    "others",
    "Other photos",
    2000,
    50,
    20_000,
    "photos that nobody corrected and whose answers are to stay as they are",
)

KINDS: dict[str, Kind] = {
    "tags": Kind(
        name="tags",
        title="Tags",
        about="What you added, confirmed and rejected on photos: like photos get the tags that you "
        "gave, and not those that you took away. A word that you gave to five photos becomes one "
        "that Marea says.",
        place="webapp.teach.training.tags:train",
        learns_from=("add_tag", "confirm_tag", "reject_tag"),
        changes="tags of photos like these, and words that you gave to five photos or more",
        settings=(
            Setting("steps", "Steps", 200, 10, 5000, "more take longer and hardly help"),
            Setting("fewest", "Photos for a new word", 5, 2, 100),
            Setting("hold", "Caution", 2.0, 0.1, 100.0, "more keeps tags nearer to what they were"),
            OTHERS,
        ),
    ),
    "embedding": Kind(
        name="embedding",
        title="Search",
        about="Captions that you wrote, and what you did with results: photos are found by the "
        "words that you use for them, and what you said you did not search for comes down. Queries "
        "mean what they meant. It learns from everybody here, as it moves photos and says nothing "
        "of them.",
        place="webapp.teach.training.embedding:train",
        learns_from=("caption",),
        changes="which photos searches find, most of all by words of those captions",
        settings=(
            Setting("steps", "Steps", 200, 10, 5000, "more take longer and hardly help"),
            Setting("anchor", "Caution", 20.0, 1.0, 1000.0, "more keeps photos where they are"),
            OTHERS,
        ),
    ),
    "captions": Kind(
        name="captions",
        title="Captions",
        about="Captions that you wrote, in English or German: Marea’s own become more like yours. "
        "So that it forgets nothing, it rehearses captions of which it is sure. It learns from "
        "nobody else’s, because what it learned it may say of anybody’s photos; Details can change "
        "that.",
        place="webapp.teach.training.captions:train",
        learns_from=("caption",),
        changes="how captions are worded, and what they name on photos like these",
        settings=(
            Setting("steps", "Steps", 150, 10, 5000, "more learn yours better, and forget more"),
            Setting("rehearsal", "Rehearsal", 0.6, 0.0, 0.95, "the share of what it says already"),
            Setting("others", "Other photos", 600, 50, 4000, "photos for rehearsal"),
            Setting(
                "everybody",
                "Everybody’s captions",
                0,
                0,
                1,
                "with 1 from those of other people too: ask them first",
            ),
        ),
    ),
    "distill": Kind(
        name="distill",
        title="Backbone",
        about="The network under all of this learns anew: Inception-v3 learns to see what the "
        "present one sees in your photos, and takes its place under the same tags, search and "
        "captions. It sees hardly more than its teacher: compare the two before you switch. The "
        "usual 300 steps take a home machine between a quarter of an hour and an hour.",
        place="webapp.teach.training.distill:train",
        settings=(
            Setting("steps", "Steps", 300, 2, 50_000, "each takes a second or several"),
            Setting("batch", "Photos a step", 32, 8, 256),
            Setting("others", "Photos", 2000, 20, 20_000, "of the library, spread over it"),
            Setting("fewest", "Photos at least", 400, 16, 20_000, "fewer teach little"),
        ),
    ),
    "problem": Kind(
        name="problem",
        title="Another problem",
        about="A classifier for photos in folders, one for each class.",
        place="webapp.teach.training.problem:train",
        is_on_page=False,
        words={"data_set": "Data set", "title": "Name of the problem", "head": "How deep"},
    ),
}


def kind_named(name: str) -> Kind:
    """Raises `NotFound` with those that there are."""
    if name not in KINDS:
        raise NotFound(f"There is no training {name}. There are: {', '.join(KINDS)}.")
    return KINDS[name]
