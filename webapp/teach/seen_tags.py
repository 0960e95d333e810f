"""Tags that versions see, as rows beside the words of people.

A word that a version learned from people ("miso") is theirs: it is said on photos of those who gave
it to a photo themselves. So one version learns from everybody, and tells nobody what others call
their things.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from vision.errors import WeightsError
from vision.versions import open_version
from vision.vocabulary.own_words import own_words
from webapp.library.models import Photo
from webapp.teach.models import ModelVersion, PhotoTag, Sight, Tag
from webapp.teach.versions.active import digest_of, weights_folder

MAX_TAG_LENGTH = 80

Tags = Sequence[tuple[str, float]]


class SeenTags(Protocol):
    @property
    def tags(self) -> Tags: ...


def sayable(
    version: ModelVersion, looked: Sequence[tuple[Photo, SeenTags]]
) -> dict[int, list[tuple[str, float]]]:
    """What the version may say of these photos, by photo id: what it saw, without words that are
    not their owners' own."""
    own = learned_words(version)
    named = own & {name for _, seen in looked for name, _ in seen.tags}
    givers = _givers(named)
    return {
        photo.pk: [
            (name, probability)
            for name, probability in seen.tags
            if name not in named or (photo.owner_id, name) in givers
        ]
        for photo, seen in looked
    }


def _givers(words: Collection[str]) -> set[tuple[int, str]]:
    """(Owner, word) of everybody who gave one of these words to a photo."""
    if not words:
        return set()
    given = PhotoTag.objects.filter(source=PhotoTag.Source.PERSON, tag__name__in=words)
    return set(given.values_list("photo__owner", "tag__name").distinct())


def learned_words(version: ModelVersion) -> frozenset[str]:
    """Words that a version learned from people here; none where it has no files, as then it does
    not look either. Raises WeightsError for a damaged table: nothing is said rather than too much.
    """
    return _learned_words(weights_folder(version), digest_of(version))


@lru_cache(maxsize=8)
def _learned_words(folder: Path, digest: str) -> frozenset[str]:
    try:
        version = open_version(folder)
    except WeightsError:
        return frozenset()
    return own_words(version)


def store_model_tags(version: ModelVersion, looked: Sequence[tuple[Photo, SeenTags]]) -> None:
    """Replace the version's tags on these photos, except where a person spoke about a tag. Lock the
    photos first."""
    photo_ids = [photo.pk for photo, _ in looked]
    of_photos = PhotoTag.objects.filter(photo__in=photo_ids)
    of_photos.filter(version=version, source=PhotoTag.Source.MODEL).delete()
    spoken = set(of_photos.filter(version=None).values_list("photo_id", "tag__name"))
    _store(
        (photo_id, version.pk, name, float(probability))
        for photo_id, tags in sayable(version, looked).items()
        for name, probability in tags
        if (photo_id, name) not in spoken
    )


def tell_again(photo_ids: Collection[int], wanted: Collection[str]) -> None:
    """Give photos back what each version sees of these tags, except where a person speaks about
    them. Lock the photos first."""
    told = PhotoTag.objects.filter(photo__in=photo_ids, version=None, tag__name__in=wanted)
    spoken = set(told.values_list("photo_id", "tag__name"))
    sights = Sight.objects.filter(photo__in=photo_ids)
    _store(
        (photo_id, version_id, name, probability)
        for photo_id, version_id, tags in sights.values_list("photo_id", "version_id", "tags")
        for name, probability in tags
        if name in wanted and (photo_id, name) not in spoken
    )


def _store(rows: Iterable[tuple[int, int, str, float]]) -> None:
    """Rows of (photo, version, tag, probability); where what was taught says the same, that stays
    (`taught.tagging` calls `tell_again` when it goes)."""
    seen = list(rows)
    tags = tags_named({name for _, _, name, _ in seen})
    PhotoTag.objects.bulk_create(
        [
            PhotoTag(
                photo_id=photo_id,
                tag=tags[name],
                version_id=version_id,
                source=PhotoTag.Source.MODEL,
                probability=probability,
            )
            for photo_id, version_id, name, probability in seen
        ],
        ignore_conflicts=True,
    )


def tags_named(names: Iterable[str]) -> dict[str, Tag]:
    """These tags by name; made where nobody has used them before."""
    wanted = {name[:MAX_TAG_LENGTH] for name in names}
    Tag.objects.bulk_create([Tag(name=name) for name in sorted(wanted)], ignore_conflicts=True)
    return {tag.name: tag for tag in Tag.objects.filter(name__in=wanted)}
