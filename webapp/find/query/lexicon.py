"""The words of one person's library: tags, places, cameras, and what its captions say.

Kept by each process and made anew when photos have changed, at most so often that making it takes a
twentieth of the time: a small library's is always fresh, a large one's may be some seconds old.
"""

import threading
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef

from search import fulltext
from search.suggesting import Names, counted
from search.words import STOP_WORDS, split
from webapp.accounts.models import User
from webapp.find.index import feed
from webapp.library.models import Photo, Place
from webapp.teach.models import PhotoTag, Tag
from webapp.teach.versions.active import active_version
from webapp.teach.versions.serving import one_version

# The newest photos stand for all where words are counted.
SAMPLE = 2_000
PEOPLE = 64  # whose lexicons a process keeps
AT_MOST = 20  # times as long as it took, a lexicon is used though photos have changed


@dataclass(frozen=True)
class Lexicon:
    """What can be completed, and folded words with their counts for corrections."""

    tags: Names
    places: Names
    cameras: Names
    words: dict[str, int]


@dataclass(frozen=True)
class _Kept:
    lexicon: Lexicon
    version: int
    change: int
    made_at: float
    took_s: float

    def is_good(self, version: int, change: int) -> bool:
        if version != self.version:
            return False
        age = time.monotonic() - self.made_at
        return change == self.change or age < AT_MOST * self.took_s


_kept: OrderedDict[int, _Kept] = OrderedDict()
_turn = threading.Lock()


@one_version()
def lexicon_of(user: User) -> Lexicon:
    """The user's lexicon, in two SQL queries, or in seven when it has to be made."""
    change, version = feed.newest_change(), active_version().pk
    with _turn:
        kept = _kept.get(user.pk)
        if kept is None or not kept.is_good(version, change):
            begun = time.monotonic()
            lexicon = _make(user)
            now = time.monotonic()
            kept = _kept[user.pk] = _Kept(lexicon, version, change, now, now - begun)
        _kept.move_to_end(user.pk)
        while len(_kept) > PEOPLE:
            _kept.popitem(last=False)
    return kept.lexicon


def forget() -> None:
    """Forget all lexicons; the next search box makes them again."""
    with _turn:
        _kept.clear()


def _make(user: User) -> Lexicon:
    photos = Photo.objects.visible_to(user).in_library()
    newest = list(photos.newest_first().values_list("pk", flat=True)[:SAMPLE])
    tags, places, cameras = _tags(user, newest), _places(user), _cameras(user)
    texts = fulltext.read(connection, newest, table=active_version().table)
    captions = counted(text.caption for text in texts)
    names = counted(split(name) for name in (*tags, *places))
    words = {word: captions.get(word, 0) + names.get(word, 0) for word in captions | names}
    return Lexicon(
        tags=Names(tags),
        places=Names(places),
        cameras=Names(cameras),
        words={word: n for word, n in words.items() if word not in STOP_WORDS},
    )


def _tags(user: User, newest: list[int]) -> dict[str, int]:
    """All tags on the user's photos, with how often they are on the newest."""
    mine = PhotoTag.objects.visible_to(user).shown().in_library()
    there = Tag.objects.filter(Exists(mine.filter(tag=OuterRef("pk"))))
    counts = Counter(
        PhotoTag.objects.shown().filter(photo__in=newest).values_list("tag__name", flat=True)
    )
    return {name: counts[name] for name in there.values_list("name", flat=True)}


def _places(user: User) -> dict[str, int]:
    """Countries before regions before towns where they begin alike."""
    rows = Place.objects.visible_to(user).values_list("country", "region", "town")
    return {name: 2 - part for row in rows for part, name in enumerate(row) if name}


def _cameras(user: User) -> dict[str, int]:
    mine = Photo.objects.visible_to(user).exclude(camera="").order_by("camera")
    return dict.fromkeys(mine.values_list("camera", flat=True).distinct(), 1)
