"""Did search become worse? Figures of now beside those that docs/measured.json keeps."""

import json
from collections.abc import Mapping
from pathlib import Path

from search.grading import Change, change
from webapp.errors import Refused
from webapp.teach.evaluation.figures import Figures, figure


def kept_figures(file: Path, collection: str, version: str) -> tuple[str, Figures]:
    """The version whose search was measured on `collection`, `version` itself if it was, and its
    figures. Raises `Refused` where there is none."""
    measured = json.loads(file.read_text("utf-8")) if file.exists() else {}
    names = sorted(measured, key=lambda name: name != version)
    for name in names:
        if figures := figure(measured, name, collection, "search"):
            return name, figures
    raise Refused(
        f"{file} has no figures of search on {collection} to compare with. "
        "“manage.py evaluate search --docs” measures and keeps them."
    )


def compared(before: Figures, now: Figures) -> dict[str, Change]:
    """What became of each group of queries. Raises `Refused` where others were asked."""
    if before.get("questions") != now["questions"]:
        raise Refused(
            "Other queries or grades were measured before than now, so nothing can be compared. "
            "“manage.py evaluate search --docs” measures anew, once the change is meant."
        )
    scores: Mapping[str, list[float]] = before["scores"]
    return {group: change(scores[group], own) for group, own in now["scores"].items()}


def complaint(changes: Mapping[str, Change], collection: str, version: str) -> str:
    """What fell by more than noise, in a sentence; empty where nothing did."""
    fallen = [
        f"{group} fell from {each.before:.3f} to {each.after:.3f} "
        f"(the change is between {each.least:+.3f} and {each.most:+.3f})"
        for group, each in changes.items()
        if each.is_worse
    ]
    if not fallen:
        return ""
    return (
        f"Search became worse on {collection} than {version} was, in nDCG@10 by more than noise: "
        f"{'; '.join(fallen)}."
    )
