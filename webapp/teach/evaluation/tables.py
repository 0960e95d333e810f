"""Measured figures as Markdown tables. Versions are columns, so that they can be compared."""

from collections.abc import Iterator, Mapping, Sequence

from webapp.teach.evaluation.figures import Figures, Measured, figure
from webapp.teach.evaluation.gate import AGREEMENT_SHARE, RECALL_SHARE, verdict

Versions = Mapping[str, Measured]  # version name -> what was measured of it
Row = tuple[str, tuple[str, ...]]  # its words and the path of its figure in a measure

# Of the relevance test set, see `webapp.find.relevance.questions`.
GROUPS = ("sentences", "phrases", "keywords", "conditions", "negations", "mixtures")
RECALLS = ("recall@1", "recall@5", "recall@10")
RETRIEVAL: tuple[Row, ...] = (
    *((f"text → image {each}", ("text_to_image", each)) for each in RECALLS),
    *((f"image → text {each}", ("image_to_text", each)) for each in RECALLS),
    *((f"German text → image {each}", ("german", "text_to_image", each)) for each in RECALLS),
    *((f"its English twin {each}", ("german", "twin", each)) for each in RECALLS),
)
CAPTIONS: tuple[Row, ...] = (
    *((f"BLEU-{n}", (f"bleu{n}",)) for n in range(1, 5)),
    ("ROUGE-L", ("rouge_l",)),
    ("CIDEr-D", ("cider_d",)),
    ("German BLEU-4", ("german", "bleu4")),
    ("German CIDEr-D", ("german", "cider_d")),
)
CLASSIFICATION: tuple[Row, ...] = (
    ("Lite2's first class is its first", ("top1",)),
    ("Lite2's first class is among its five", ("top5",)),
    ("right class first", ("accuracy", "top1")),
    ("right class among its five", ("accuracy", "top5")),
)
SEARCH: tuple[Row, ...] = (
    *((each, ("text_to_image", each)) for each in RECALLS),
    ("kept by the cut-off", ("kept_by_cutoff",)),
    ("shown", ("shown",)),
    *((f"nDCG@10, {group}", ("ndcg@10", group)) for group in GROUPS),
)
CUTOFF: tuple[Row, ...] = (
    ("precision", ("precision",)),
    ("photos kept", ("recall_kept",)),
    ("answered although absent", ("false_alarms",)),
)
CURVES = "images/cutoff.svg"
KEYWORDS: tuple[Row, ...] = (("mean average precision", ("map",)),)

# What others published on the 1,000 test photos of Flickr8k; ours are of the development photos.
PUBLISHED = (
    "| | text → image recall@1 / 5 / 10 | captions BLEU-4 | trained on |",
    "|---|---|---|---|",
    "| [UVS, Kiros et al. 2014](https://github.com/ryankiros/visual-semantic-embedding) "
    "| 0.149 / 0.383 / 0.516 | | Flickr8k |",
    "| [Show, Attend and Tell, Xu et al. 2015](https://arxiv.org/abs/1502.03044), hard attention "
    "| | 0.213 | Flickr8k |",
    "| CLIP ViT-B/32, [as measured there]"
    "(https://github.com/ericjtyao05-cmd/CLIP-ViT-B-32-on-Flickr8k) "
    "| 0.511 / 0.779 / 0.864 | | 400 million pairs |",
)


def all_tables(versions: Versions) -> str:
    """Everything that was measured, section by section."""
    sections = [
        _section("Retrieval", "retrieval", RETRIEVAL, versions),
        _section("Words", "keywords", KEYWORDS, versions),
        _section("Captions", "captions", CAPTIONS, versions),
        _tags(versions),
        _section("Classes", "classification", CLASSIFICATION, versions),
        _gate(versions),
        _section("The whole search", "search", SEARCH, versions),
        _ablation(versions),
        _section("The cut-off", "cutoff", CUTOFF, versions),
        _curves(versions),
        _section("The cut-off of searches by example", "alike", CUTOFF, versions),
        _published(versions),
    ]
    return "\n\n".join(section for section in sections if section)


def _section(title: str, measure: str, rows: Sequence[Row], versions: Versions) -> str:
    """One table: a column for each collection and version that has the measure."""
    columns = [
        (f"{collection}, {version}", measured[collection][measure])
        for collection in _collections(versions)
        for version, measured in versions.items()
        if measure in measured.get(collection, {})
    ]
    if not columns:
        return ""
    lines = [(words, [figure(of, *path) for _, of in columns]) for words, path in rows]
    photos = [of.get("photos", of.get("queries", "")) for _, of in columns]
    body = [
        _line(words, [_shown(each) for each in values])
        for words, values in lines
        if any(each is not None for each in values)
    ]
    return "\n".join(
        [
            f"### {title}",
            "",
            f"`manage.py evaluate {measure} --data DIR`",
            "",
            _line("", [name for name, _ in columns]),
            _line("---", ["---"] * len(columns)),
            *([_line("photos", [f"{each:,}" for each in photos])] if all(photos) else []),
            *body,
        ]
    )


def _tags(versions: Versions) -> str:
    """Precision and recall of tags: over all, then by group."""
    measured = {
        f"{collection}, {version}": each[collection]["tags"]
        for collection in _collections(versions)
        for version, each in versions.items()
        if "tags" in each.get(collection, {})
    }
    if not measured:
        return ""
    groups = sorted({group for of in measured.values() for group in of["by_group"]})
    rows = [_line("**all**", [_both(of) for of in measured.values()])]
    rows += [
        _line(group, [_both(of["by_group"].get(group)) for of in measured.values()])
        for group in groups
    ]
    head = [_line("precision / recall", list(measured)), _line("---", ["---"] * len(measured))]
    return "\n".join(
        ["### Tags", "", "`manage.py evaluate tags --data DIR`", "", *head, *rows, "", *_plots()]
    )


def _plots() -> Iterator[str]:
    yield "![How far a tag's probability may be believed](images/reliability.svg)"


def _gate(versions: Versions) -> str:
    """Whether each other version's backbone could become the default, on each collection."""
    (default, ours), *others = versions.items()
    sentences = [
        f"- {name} beside {default} on {collection}: {_verdict(theirs[collection], own)}"
        for name, theirs in others
        for collection, own in ours.items()
        if {"retrieval", "classification"} <= theirs.get(collection, {}).keys()
    ]
    return "\n".join(["### The gate for another backbone", "", *sentences]) if sentences else ""


def _verdict(theirs: Figures, ours: Figures) -> str:
    found = verdict(theirs, ours)
    return (
        f"{found['recall@10_share']:.0%} of recall@10 ({RECALL_SHARE:.0%} needed), "
        f"{found['top5_share']:.0%} of the top-5 agreement ({AGREEMENT_SHARE:.0%} needed): "
        f"{'passed' if found['passed'] else 'not passed'}."
    )


def _ablation(versions: Versions) -> str:
    """What each group of queries loses without each thing that search goes by."""
    found = {
        f"{collection}, {version}": each[collection]["ablation"]
        for collection in _collections(versions)
        for version, each in versions.items()
        if "ablation" in each.get(collection, {})
    }
    if not found:
        return ""
    parts = (_ablation_of(name, figures) for name, figures in found.items())
    title = "### What each signal contributes\n\n`manage.py evaluate ablation --data DIR`"
    return "\n\n".join([title, *parts])


def _ablation_of(name: str, figures: Figures) -> str:
    whole, groups = figures["ndcg@10"], [g for g in GROUPS if g in figures["ndcg@10"]]
    rows = [_line("everything", [_shown(whole[group]) for group in groups])]
    for part, means in sorted(figures["without"].items()):
        changes = [means[group] - whole[group] for group in groups]
        rows.append(_line(f"without {part}", [_changed(each) for each in changes]))
    head = [_line(f"nDCG@10, {name}", groups), _line("---", ["---"] * len(groups))]
    return "\n".join([*head, *rows])


def _curves(versions: Versions) -> str:
    """What the cut-off would do elsewhere; of words that captions or labels have."""
    found = {
        f"{collection}, {version}": each[collection]["cutoff"]["curve"]
        for collection in _collections(versions)
        for version, each in versions.items()
        if figure(each, collection, "cutoff", "curve")
    }
    if not found:
        return ""
    rows = [
        _line(f"{points[0]['threshold']:.2f}", [_point(each) for each in points])
        for points in zip(*(curve[1::2] for curve in found.values()), strict=True)
    ]
    named = "precision / kept / answered although absent, from a probability of"
    return "\n".join(
        [
            *(_line(named, list(found)), _line("---", ["---"] * len(found)), *rows, ""),
            f"![What another cut-off would do]({CURVES})",
        ]
    )


def _published(versions: Versions) -> str:
    name, measured = next(iter(versions.items()))
    retrieval, captions = (
        measured.get("flickr8k", {}).get(each, {}) for each in ("retrieval", "captions")
    )
    recalls = " / ".join(_shown(figure(retrieval, "text_to_image", each)) for each in RECALLS)
    ours = (
        f"| **Marea, {name}** (development photos) | {recalls} | "
        f"{_shown(captions.get('bleu4'))} | Flickr8k, coco_wide |"
    )
    return "\n".join(
        ["### Beside published systems", "", "On Flickr8k, 1,000 photos.", "", *PUBLISHED, ours]
    )


def _collections(versions: Versions) -> list[str]:
    return list(dict.fromkeys(name for measured in versions.values() for name in measured))


def _both(rates: Mapping[str, float | None] | None) -> str:
    """Precision and recall; a dash where nothing was said, or nothing could have been."""
    if not rates:
        return ""
    precision = None if rates.get("tags") == 0 else rates["precision"]
    shown = ("–" if each is None else f"{each:.2f}" for each in (precision, rates["recall"]))
    return " / ".join(shown)


def _point(point: Mapping[str, float]) -> str:
    names = ("precision", "recall_kept", "false_alarms")
    return " / ".join(f"{point[name]:.2f}" for name in names)


def _changed(by: float) -> str:
    """Nothing where nothing changed, so that one sees where something did."""
    return f"{by:+.3f}".replace("-", "−") if abs(by) >= 0.0005 else ""


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _line(first: str, rest: Sequence[str]) -> str:
    return f"| {' | '.join([first, *rest])} |"
