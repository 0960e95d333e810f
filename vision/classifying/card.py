"""The model card of a version that was given one more classifier."""

from typing import TYPE_CHECKING, Any

from vision.classifying.words import in_words
from vision.training.publish import current_commit

if TYPE_CHECKING:
    from vision.classifying.training import ClassifierTraining

TEMPLATE = """\
# {name}

{base} with one more classifier, "{title}", which tells {classes} classes apart: {labels}.

- **Reads** {reads}; nothing else of {base} was changed.
- **Head** {head}, chosen on validation photos, stopped after epoch {epochs}. Seed {seed}.
- **Data** snapshot `{data}`: {learned_from} photos to learn from, {background_photos} photos of the
  library as examples of none of the classes. No photo is part of this version.
- **Code** commit `{commit}`.

## Measured, on photos that it has not learned from

{words}

| figure | value |
|---|---|
| top-1 | {top1:.3f} |
| mean of the classes | {top1_mean_of_classes:.3f} |
| said at all | {said:.3f} |
| right when said | {right_when_said:.3f} |
| calibration error | {calibration_error:.3f} |

## Limits

- It knows photos like those that it was shown. Of things that look like one of its classes it may
  say so, and of its classes in an unusual view it may say nothing.
"""
FEATURES = "the backbone's pooled features and stride-16 map"
ABOVE_THE_GRID = (
    "the backbone's grid, through a layer of its own in place of the backbone's last one, and the "
    "stride-16 map"
)
MOST_LABELS = 40


def card(config: "ClassifierTraining", figures: dict[str, Any]) -> str:
    """The card as Markdown."""
    labels = list(config.snapshot.labels)
    more = f" and {len(labels) - MOST_LABELS} more" if len(labels) > MOST_LABELS else ""
    return TEMPLATE.format(
        **{key: value for key, value in figures.items() if key != "title"},
        name=config.name,
        base=config.base.name,
        title=_plain(config.title),
        reads=ABOVE_THE_GRID if figures["above_the_grid"] else FEATURES,
        classes=len(labels),
        labels=", ".join(_plain(label) for label in labels[:MOST_LABELS]) + more,
        commit=current_commit(),
        words="\n".join(f"- {_plain(sentence)}" for sentence in in_words(figures)),
    )


def _plain(text: str) -> str:
    """Labels are hostile text; in Markdown they are to be nothing but text."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|!" else char for char in text)
