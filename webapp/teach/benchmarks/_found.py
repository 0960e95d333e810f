"""How well the whole search finds photos: every signal, conditions and cut-off together.

`python -m webapp.teach.benchmarks._found search|ablation DATA SPLIT VERSION` fills a library of its
own with the photos of a split, asks the relevance test set, and prints one JSON object, of what is
`missing` where nothing can be asked.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from webapp.accounts.models import User

Figures = dict[str, Any]

RANKS = (1, 5, 10)
_LACKING = "captions.en.csv.gz and labels of the split {split!r} in {folder} name too little."


def evaluate(what: str, data: Path, split: str, version_folder: Path) -> Figures:
    from django.core.management import call_command

    from vision.collection import Collection
    from vision.errors import DataMissing
    from vision.evaluation.retrieval import look_at_split
    from vision.evaluation.tag_truth import written_about
    from vision.eye import load_eye
    from webapp.accounts.models import User
    from webapp.find.relevance import asking
    from webapp.find.relevance.given import give
    from webapp.find.relevance.judging import Judgements
    from webapp.find.relevance.library import fill
    from webapp.find.relevance.questions import questions
    from webapp.teach.models import ModelVersion

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("evaluation")
    version = ModelVersion.objects.create(
        name=version_folder.name, folder=str(version_folder), is_active=True
    )
    collection = Collection(data)
    looked = look_at_split(collection, split, load_eye(version_folder))
    names = [name for name, _ in looked]
    given = [give(name) for name in names]
    ids = fill(user, version, [sight for _, sight in looked], given)
    asked = questions(Judgements(written_about(collection, split, names)), given)
    if not asked:
        raise DataMissing(f"Nothing to ask for: {_LACKING.format(split=split, folder=data)}")
    if what == "ablation":
        return {"photos": len(ids), **asking.ablation(user, asked, ids)}
    captions = collection.captions_if_any(split)
    found = {
        photo_id: captions[name][0]
        for photo_id, name in zip(ids, names, strict=True)
        if captions.get(name)
    }
    figures = search_for(user, found) if found else {"photos": len(ids)}
    return {**figures, **asking.relevance(user, asked, ids)}


def search_for(user: "User", queries: dict[int, str]) -> Figures:
    """Where each photo stands among the results of its query, and whether the cut-off keeps it."""
    from webapp.find.services import find_photos

    found, kept, shown = dict.fromkeys(RANKS, 0), 0, 0
    for photo_id, text in queries.items():
        page = find_photos(user, text, limit=max(RANKS), show_more=True)
        ids = [each.photo.pk for each in page.found]
        rank = ids.index(photo_id) + 1 if photo_id in ids else max(RANKS) + 1
        for k in RANKS:
            found[k] += rank <= k
        kept += rank <= min(max(RANKS), page.confident)
        shown += page.confident
    return {
        "photos": len(queries),
        "queries": len(queries),
        "text_to_image": {f"recall@{k}": found[k] / len(queries) for k in RANKS},
        "kept_by_cutoff": kept / max(found[max(RANKS)], 1),
        "shown": shown / len(queries),
    }


def main(what: str, data: str, split: str, version: str) -> None:
    from vision.errors import DataMissing

    try:
        figures = evaluate(what, Path(data), split, Path(version))
    except DataMissing as missing:
        figures = {"missing": str(missing)}
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:])
