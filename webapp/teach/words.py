"""A photo in words, as one person reads it: its caption, its tags, and what stands for it where it
cannot be seen. A person's words outrank a model's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import CharField, Prefetch, Value
from django.utils.formats import date_format

from vision.vocabulary import broader_words, vocabulary
from webapp.accounts.models import Language, User
from webapp.library.models import Photo, PhotoQuerySet
from webapp.teach.models import PhotoTag, Sight
from webapp.teach.text_models import ReadText

TAGS_IN_ALT = 4  # more would be read out for longer than a caption


@dataclass(frozen=True)
class Words:
    """Some words about a photo. `language` is empty where nobody knows it: a person wrote them."""

    text: str
    language: str = Language.ENGLISH.value

    @property
    def lang(self) -> str:
        """For the `lang` attribute: empty where it is the page's own language, or unknown."""
        return "" if self.language == Language.ENGLISH else self.language


@dataclass(frozen=True)
class Caption(Words):
    source: Literal["model", "person"] = "model"
    confidence: float | None = None  # None: a person's


def with_words(photos: PhotoQuerySet, user: User, *, read: bool = False) -> PhotoQuerySet:
    """Photos with captions and tags at hand,, in two queries more however many photos they are;
    with `read`, in a third, also with the text read in them."""
    language = Value(user.language.value, output_field=CharField())
    sights = Sight.objects.of_active_version().defer("embedding").annotate(wanted=language)
    tags = PhotoTag.objects.shown().select_related("tag").order_by("-probability", "tag__name")
    photos = photos.prefetch_related(
        Prefetch("sights", queryset=sights, to_attr="active_sights"),
        Prefetch("photo_tags", queryset=tags),
    )
    if not read:
        return photos
    texts = ReadText.objects.exclude(text="").order_by("pk").only("photo_id", "text")
    return photos.prefetch_related(Prefetch("read_texts", queryset=texts, to_attr="texts_read"))


def caption_of(photo: Photo) -> Caption | None:
    """A person's caption, else the active version's in the reader's language, else in English; a
    version's only if it is likely enough. `photo` comes from `with_words`."""
    if photo.own_caption:
        return Caption(photo.own_caption, language="", source="person")
    for sight in photo.active_sights:  # type: ignore[attr-defined]  # at most one
        likely = sight.likely_captions
        for language in (sight.wanted, Language.ENGLISH.value):
            if language in likely:
                text, confidence = likely[language]
                return Caption(text, language=language, confidence=confidence)
    return None


def model_captions(photo: Photo) -> dict[str, str]:
    """The active version's captions by language, as far as likely enough to be shown."""
    sights: list[Sight] = photo.active_sights  # type: ignore[attr-defined]
    return {key: text for sight in sights for key, (text, _) in sight.likely_captions.items()}


def tags_of(photo: Photo) -> list[PhotoTag]:
    """The tags people see, likeliest first, but after the others those that others imply.

    "golden retriever" comes before "dog" and "animal". `photo` comes from `with_words`.
    """
    tags = list(photo.photo_tags.all())
    implied = _broader(tags)
    return sorted(tags, key=lambda photo_tag: photo_tag.tag.name in implied)


def found_as(tags: Sequence[PhotoTag]) -> list[str]:
    """Broader words by which these tags are found as well, without the tags themselves."""
    shown = {photo_tag.tag.name for photo_tag in tags}
    return [name for name in _broader(tags) if name not in shown]


def _broader(tags: Sequence[PhotoTag]) -> list[str]:
    known = [photo_tag.tag.name for photo_tag in tags if photo_tag.tag.name in vocabulary()]
    return list(dict.fromkeys(broader for name in known for broader in broader_words(name)))


def text_in(photo: Photo) -> str:
    """What is written in the photo, a line each, as a worker read it: hostile text. `photo` comes
    from `with_words` with `read`."""
    rows: list[ReadText] = photo.texts_read  # type: ignore[attr-defined]
    return rows[-1].text if rows else ""


def alternative_text(photo: Photo) -> Words:
    """What the photo shows: its caption, else its tags, else when it was taken. Never empty."""
    if caption := caption_of(photo):
        return caption
    tags = [photo_tag.tag.name for photo_tag in tags_of(photo)[:TAGS_IN_ALT]]
    if tags:
        return Words(f"Photo tagged {', '.join(tags)}")
    return Words(f"Photo of {date_format(photo.shown_at, 'j F Y')}")
