"""How well the whole search finds photos: embedding, words and cut-off together.

`python -m webapp.teach.benchmarks._found DATA SPLIT VERSION` fills a library of its own with the
photos of a split, searches for each by its first caption, and prints one JSON object.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from vision.sight import Sight
    from webapp.accounts.models import User
    from webapp.teach.models import ModelVersion

Figures = dict[str, Any]
Looked = tuple[str, "Sight"]

BATCH = 100
RANKS = (1, 5, 10)
HOLDER = "evaluation"


def evaluate(data: Path, split: str, version_folder: Path) -> Figures:
    from django.core.management import call_command

    from vision.collection import Collection
    from vision.evaluation.retrieval import look_at_split
    from vision.eye import load_eye
    from webapp.accounts.models import User
    from webapp.teach.models import ModelVersion

    call_command("migrate", verbosity=0)
    user = User.objects.create_user(HOLDER)
    version = ModelVersion.objects.create(
        name=version_folder.name, folder=str(version_folder), is_active=True
    )
    collection = Collection(data)
    captions = collection.captions(split)
    looked = look_at_split(collection, split, load_eye(version_folder))
    photos = fill(user, version, looked)
    return search_for(
        user, {photos[name]: captions[name][0] for name in photos if name in captions}
    )


def fill(user: "User", version: "ModelVersion", looked: Sequence[Looked]) -> dict[str, int]:
    """Put photos into the library as a worker would. Returns their ids by name."""
    ids: dict[str, int] = {}
    for first in range(0, len(looked), BATCH):
        ids |= _store(user, version, looked[first : first + BATCH], first=first)
    return ids


def _store(
    user: "User", version: "ModelVersion", batch: Sequence[Looked], *, first: int
) -> dict[str, int]:
    from django.utils import timezone

    from webapp.library.models import Photo
    from webapp.teach.services import store_sights

    photos = Photo.objects.bulk_create(
        Photo(
            owner=user,
            sha256=f"{number:064}",
            file_name=f"{number}.jpg",  # a name that gives nothing away
            media_type="image/jpeg",
            size_bytes=1,
            width=1,
            height=1,
            shown_at=timezone.now(),
            holder=HOLDER,
        )
        for number in range(first, first + len(batch))
    )
    seen = [(photo, sight) for photo, (_, sight) in zip(photos, batch, strict=True)]
    store_sights(HOLDER, version, seen, {})
    return {name: photo.pk for photo, (name, _) in zip(photos, batch, strict=True)}


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


if __name__ == "__main__":
    django.setup()
    data, split, version = sys.argv[1:]
    sys.stdout.write(json.dumps(evaluate(Path(data), split, Path(version))))
