"""A simulated owner: tag precision and recall on other photos after each round of corrections.

The library are photos that no head was trained on: Flickr8k and COCO development photos and the
test photos of Caltech-101 and scenes. In each of five rounds the owner corrects 2 % of them: half
are six photos each of things of their own, to which they give their own name; the others are taken
at random: what is wrongly said is rejected, what captions or labels name is added. Then the tag
head is trained on all corrections so far. Precision and recall are those of `evaluate tags`, on
photos that are not corrected in any round; of own words also among those that were named so far.
"""

import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from vision.eye import Eye, load_eye
from vision.heads.saying import Rules
from vision.heads.word_model import WordModel, probe_input
from vision.heads.word_tags import WordTable, WordTagger, read_word_table
from vision.training.owned.tag_head import new_words
from vision.training.owned.tag_lessons import Spoken
from vision.training.owned.tags import TagMaterial, TagRetraining, Taught, retrain_tags, with_words
from vision.versions import Version, open_version
from vision.vocabulary import broader_words
from webapp.errors import Refused
from webapp.teach.benchmarks._owner_library import Library, read_library
from webapp.teach.runs.snapshots import training_folder
from webapp.teach.versions.folders import folder_to_measure
from webapp.terminal import table as text_table

DATA = settings.BASE_DIR.parent / "shared" / "data"
SHARE, ROUNDS, MARKED = 0.02, 5, 6
PLOTS = {
    "precision": "tag precision on other photos",
    "recall": "tag recall on other photos",
    "own_recall": "recall of own words",
}
Rates = dict[str, float]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", default=DATA, help="default: ../shared/data"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first owner; default: 0")
    parser.add_argument("--owners", type=int, default=5, help="simulated; default: 5")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the mean against rounds")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    version = open_version(folder_to_measure())
    eye = load_eye(version.folder)
    if not isinstance(eye.tag, WordTagger):
        raise Refused(f"The tags of {version.name} cannot be retrained.")
    library = read_library(options["data"], version, eye, training_folder() / "collections")
    seeds = range(options["seed"], options["seed"] + options["owners"])
    owners = [_rounds(library, version, eye, seed) for seed in seeds]
    figures = {"version": version.name, "photos": len(library), "share": SHARE, "owners": owners}
    if options["svg"]:
        _draw(owners, options["svg"])
    return figures


def table(figures: Mapping[str, Any]) -> str:
    header = ("round", "precision", "recall", "own words: precision", "recall", "of those named")
    names = ("precision", "recall", "own_precision", "own_recall", "named_recall")
    rows = []
    for number, each in enumerate(zip(*figures["owners"], strict=True)):
        rows.append((number, *(_between([own[name] for own in each]) for name in names)))
    return (
        f"{figures['version']}, {figures['photos']:,} photos, {figures['share']:.0%} corrected in "
        f"each round; mean of {len(figures['owners'])} owners, least and most:\n\n"
        f"{text_table(header, rows)}"
    )


def _rounds(library: Library, version: Version, eye: Eye, seed: int) -> list[Rates]:
    """Rates on photos that are never corrected: before any round, and after each."""
    plan = plan_of(library, seed)
    others = set(range(len(library))) - {row for part in plan for row in part}
    text = version.text(version.part("tags")["words"])
    table_, model = read_word_table(text), eye.tag.model  # type: ignore[attr-defined]
    said = _said(library, *with_words(table_, model, []), None)
    found = [library.rates(said, others)]
    spoken: list[Spoken] = []
    for rows in plan:
        spoken += [Spoken(str(row), corrections(library, row, said[row])) for row in rows]
        told = [each for each in spoken if each.words]
        named = new_words(told, table_, fewest=5)
        grown, model_ = with_words(table_, model, named)
        taught = _taught(library, told, spoken, grown, model_, seed)
        said = _said(library, grown, model_, taught)
        found.append(library.rates(said, others, named))
    return found


def plan_of(library: Library, seed: int) -> list[list[int]]:
    """Which photos the owner corrects in each round."""
    rng = np.random.default_rng(seed)
    order, subjects = rng.permutation(len(library)).tolist(), sorted(set(library.own) - {""})
    subjects = rng.permutation(subjects).tolist()
    used: set[int] = set()
    plan = []
    for _ in range(ROUNDS):
        rows: list[int] = []
        while subjects and len(rows) + MARKED <= SHARE * len(library) / 2:
            own = [row for row in order if library.own[row] == subjects[-1] and row not in used]
            subjects.pop()
            rows += own[:MARKED] if len(own) >= MARKED else []
        used.update(rows)
        free = [row for row in order if row not in used]
        rows += free[: round(SHARE * len(library)) - len(rows)]
        used.update(rows)
        plan.append(rows)
    return plan


def corrections(library: Library, row: int, said: Sequence[str]) -> dict[str, bool]:
    """What the owner says of a photo: wrong tags are rejected, and the narrowest words added that
    it shows and that nothing said implies."""
    facts, judged = library.facts, library.judged[row]
    right = dict(zip(facts.words, facts.right[row] | ~judged, strict=True))
    shown = {
        w for w, is_shown in zip(facts.words, facts.shown[row] & judged, strict=True) if is_shown
    }
    implied = {above for word in (*said, *shown) for above in _broader(word)}
    added = dict.fromkeys(sorted(shown - implied - set(said)), True)
    return {word: False for word in said if not right.get(word, True)} | added


def _broader(word: str) -> list[str]:
    try:
        return broader_words(word)
    except KeyError:
        return []


def _taught(
    library: Library,
    told: Sequence[Spoken],
    spoken: Sequence[Spoken],
    table_: WordTable,
    model: WordModel,
    seed: int,
) -> Taught:
    log_odds = model.untaught(library.features, library.embeddings)
    rows = [int(each.photo) for each in told]
    seen = {int(each.photo) for each in spoken}
    rest = [row for row in range(len(library)) if row not in seen]
    embeddings, probed = library.embeddings, probe_input(library.features)
    material = TagMaterial(
        told, log_odds[rows], embeddings[rows], [], log_odds[:0], embeddings[:0],
        log_odds[rest], embeddings[rest], features=probed[rows], other_features=probed[rest],
    )  # fmt: skip
    new = [number for number, group in enumerate(table_.groups) if group == "own"]
    with tempfile.TemporaryDirectory(prefix="marea-owner-") as work:
        config = TagRetraining(seed=seed)
        return retrain_tags(material, table_, new, config, work=Path(work))


def _said(
    library: Library, table_: WordTable, model: WordModel, taught: Taught | None
) -> list[list[str]]:
    """What a head says of every photo, by the product's rules; colours are not judged."""
    words = table_.modelled
    if taught:
        own = [number for number, group in enumerate(table_.groups) if group == "own"]
        model = taught.put_into(model, own)
    rules = Rules(
        words=table_.words[:words],
        broader=table_.broader[:words],
        thresholds=taught.thresholds if taught else table_.thresholds[:words],
        hurtful=table_.hurtful[:words],
        people=table_.people[:words],
        person_likely=0.1,
        most=8,
    )
    said = rules.said(model.probabilities(library.features, library.embeddings))
    return [[word for word, _ in own] for own in said]


def _between(values: Sequence[float]) -> str:
    mean = sum(values) / len(values)
    return f"{mean:.3f} ({min(values):.3f} to {max(values):.3f})"


def _draw(owners: Sequence[Sequence[Rates]], to: Path) -> None:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise Refused("Plots need matplotlib: pip install -r tests/requirements.txt.") from error
    figure = Figure(figsize=(9.6, 3.2), layout="constrained")
    for axes, (name, label) in zip(figure.subplots(1, 3), PLOTS.items(), strict=True):
        for own in owners:
            axes.plot([rates[name] for rates in own], color="0.75", linewidth=1)
        mean = np.mean([[rates[name] for rates in own] for own in owners], axis=0)
        axes.plot(mean, marker="o", markersize=4)
        axes.axhline(mean[0], color="0.4", linewidth=1, linestyle="--")
        axes.set(xlabel="round of corrections", ylabel=label)
        axes.spines[["top", "right"]].set_visible(False)
    with rc_context({"svg.hashsalt": to.stem}):
        figure.savefig(to, format="svg", metadata={"Date": None})
