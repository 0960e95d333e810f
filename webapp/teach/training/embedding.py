"""Train the photo side of search on captions by people and on what they did with results."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vision.text_encoder import TextEncoder
from vision.training.owned.embedding import (
    EmbeddingRetraining,
    Pair,
    PairLessons,
    teach_embedding,
)
from webapp.find.history.models import SearchDeed
from webapp.teach.models import Correction
from webapp.teach.training.library import (
    Bench,
    Snapshot,
    captions_written,
    corrections_of,
    some_others,
    split,
    usable_photos,
    work_folder,
)
from webapp.teach.training.retraining import Lesson, retrain

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller

# Who opens a result may find that it is another; who marks it as a favourite seldom does.
WORTH = {
    SearchDeed.Kind.OPENED: 0.2,
    SearchDeed.Kind.FAVOURITED: 0.5,
    SearchDeed.Kind.CORRECTED: 0.2,
    SearchDeed.Kind.NOT_THIS: 1.0,
}


def train(run: "TrainingRun", tell: "Teller") -> str:
    """The name of a version whose photo side learned from people's words."""
    return retrain(run, tell, gather, _teach)


def gather(run: "TrainingRun") -> Snapshot:
    """Captions as they are; of what people did with results the numbers only, since what they
    searched for is theirs to erase."""
    captions = captions_written()
    deeds = SearchDeed.objects.filter(photo__in=usable_photos()).by_words_alone().order_by("pk")
    done = list(deeds.values_list("pk", "photo__sha256"))
    learned, judged = split({*captions, *(sha for _, sha in done)})
    used = {*learned, *judged}
    return {
        "learned": {sha: captions.get(sha, []) for sha in learned},
        "judged": {sha: captions.get(sha, []) for sha in judged},
        "deeds": [pk for pk, sha in done if sha in used],
        "others": some_others(used, int(run.parameters["others"])),
        "corrections": corrections_of(used, [Correction.Kind.CAPTION], up_to=run.last_correction),
    }


def _teach(bench: Bench, lesson: Lesson) -> dict[str, float]:
    run, snapshot, here = bench.run, lesson.snapshot, lesson.here
    deeds = _deeds(snapshot["deeds"])
    lessons = PairLessons(
        pairs=_pairs(snapshot["learned"], deeds, here),
        judged_by=_pairs(snapshot["judged"], deeds, here),
        others=lesson.others,
    )
    config = EmbeddingRetraining(
        steps=run.parameters["steps"], anchor=run.parameters["anchor"], seed=run.seed
    )
    return teach_embedding(
        bench.base,
        bench.features,
        TextEncoder(bench.base).encode,
        lessons,
        lesson.draft,
        config,
        work=work_folder(run),
        progress=bench.tell.training("Teaching search"),
    )


def _deeds(numbers: Sequence[int]) -> dict[str, list[Pair]]:
    """What people did, as far as it was not erased meanwhile, by photo."""
    found: dict[str, list[Pair]] = {}
    for deed in SearchDeed.objects.filter(pk__in=numbers).select_related("photo").order_by("pk"):
        wanted = deed.kind != SearchDeed.Kind.NOT_THIS
        weight = WORTH[SearchDeed.Kind(deed.kind)]
        pair = Pair(deed.text, deed.photo.sha256, wanted, weight)
        found.setdefault(pair.photo, []).append(pair)
    return found


def _pairs(
    photos: dict[str, list[str]], deeds: dict[str, list[Pair]], here: set[str]
) -> list[Pair]:
    pairs: list[Pair] = []
    for sha, captions in sorted(photos.items()):
        if sha in here:
            pairs += [Pair(caption, sha) for caption in captions]
            pairs += deeds.get(sha, [])
    return pairs
