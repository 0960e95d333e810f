"""What an owner should know about a data set before training on it, in words."""

from collections import Counter
from collections.abc import Mapping, Sequence

from webapp.teach.datasets.splitting import Split

UNEVEN = 5  # times as many photos in the largest class as in the smallest
COMFORTABLE = 20  # photos of a class; below it a sentence says that more would help
NAMED = 5


def remarks_on(
    *,
    labels: Sequence[str],
    numbers: Sequence[int],
    sides: Split,
    pairs: Sequence[tuple[int, int]],
    too_few: Mapping[str, int],
    two_labels: Sequence[tuple[Sequence[str], str]],
    copies: int,
) -> list[str]:
    """Sentences, the most important first; none when there is nothing to say."""
    counts = Counter(labels[number] for number in numbers)
    across = Counter(
        tuple(sorted((labels[numbers[one]], labels[numbers[other]])))
        for one, other in pairs
        if numbers[one] != numbers[other]
    )
    said = [
        _too_few(too_few),
        _two_labels(two_labels),
        _uneven(counts),
        _small(counts),
        _alike([labels[number] for number in sides.look_alike]),
        _across(across),
        _near(len(pairs)),
        _copies(copies),
    ]
    return [sentence for sentence in said if sentence]


def _too_few(classes: Mapping[str, int]) -> str:
    if not classes:
        return ""
    return (
        f"{_listed(list(classes))} {'was' if len(classes) == 1 else 'were'} left out: fewer than "
        "five photos are too few to learn from and to judge by."
    )


def _two_labels(photos: Sequence[tuple[Sequence[str], str]]) -> str:
    if not photos:
        return ""
    labels, name = photos[0]
    return (
        f"{_photos(len(photos))} came in two classes or more and {_were(len(photos))} left out, "
        f"such as {name} in {_listed(labels)}."
    )


def _uneven(counts: Counter[str]) -> str:
    (most, large), (least, small) = counts.most_common()[0], counts.most_common()[-1]
    if large < UNEVEN * small:
        return ""
    return (
        f"The classes are uneven: {most} has {large:,} photos, {least} has {small:,}. Photos of "
        "small classes count more in training, but more of them would help better."
    )


def _small(counts: Counter[str]) -> str:
    small = sorted(label for label, count in counts.items() if count < COMFORTABLE)
    if not small:
        return ""
    verb = "has" if len(small) == 1 else "have"
    return f"{_listed(small)} {verb} fewer than {COMFORTABLE} photos; figures on them are rough."


def _alike(labels: Sequence[str]) -> str:
    if not labels:
        return ""
    return (
        f"The photos of {_listed(labels)} look so alike that copies cannot be told from others; "
        "figures on them may be too good."
    )


def _across(pairs: Counter[tuple[str, ...]]) -> str:
    if not pairs:
        return ""
    both = pairs.most_common(1)[0][0]
    return (
        f"{_photos(pairs.total())} of different classes look like copies of one another, most "
        f"often of {_listed(both)}. See whether each is in its right folder."
    )


def _near(pairs: int) -> str:
    if not pairs:
        return ""
    return (
        f"{pairs:,} {'pair' if pairs == 1 else 'pairs'} of photos are nearly the same; each pair "
        "is on one side, so that no figure comes from a photo that was learned."
    )


def _copies(copies: int) -> str:
    if not copies:
        return ""
    return f"{_photos(copies)} {_were(copies)} there more than once and {_were(copies)} taken once."


def _photos(count: int) -> str:
    return f"{count:,} {'photo' if count == 1 else 'photos'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:NAMED])
    if len(names) > NAMED:
        return f"{', '.join(shown)} and {len(names) - NAMED:,} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
