"""What can go wrong with an index.

SearchError
├── IndexMissing   nothing was built here yet: build it
├── IndexDamaged   the files do not match their manifest: set them aside and rebuild
└── IndexBusy      another process is building here: leave it to that one
"""


class SearchError(Exception):
    """Base of all errors of this room."""


class IndexMissing(SearchError):
    """No index has been built in this folder yet."""


class IndexDamaged(SearchError):
    """The files of an index do not match their manifest."""


class IndexBusy(SearchError):
    """Another process is building an index in this folder."""
