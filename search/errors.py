"""What can go wrong with an index, or with the ranker that was learned.

SearchError
├── IndexMissing      nothing was built here yet: build it
├── IndexDamaged      the files do not match their manifest: set them aside and rebuild
├── IndexBusy         another process is building here: leave it to that one
├── IndexUnreachable  the server that keeps it does not answer: go on without, try again
└── RankerDamaged     the ranker's file is not what was promoted: go on without it
"""


class SearchError(Exception):
    """Base of all errors of this room."""


class IndexMissing(SearchError):
    """No index has been built in this folder yet."""


class IndexDamaged(SearchError):
    """The files of an index do not match their manifest; `base` is the one, where that is known."""

    def __init__(self, message: str, base: str = "") -> None:
        super().__init__(message)
        self.base = base


class IndexBusy(SearchError):
    """Another process is building an index in this folder."""


class IndexUnreachable(SearchError):
    """The vector database does not answer."""


class RankerDamaged(SearchError):
    """A file of the ranker is missing, or is not the one that was promoted."""
