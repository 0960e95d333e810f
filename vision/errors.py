"""What can go wrong in the vision room.

VisionError
├── WeightsError        a version folder cannot be used; the message says why and what to do
│   └── NotFinite       its files are what they should be, but a weight is no number
├── UnknownNetwork      a name that no registry knows
├── BadImage            an array that is no upright RGB photo
├── DataMissing         a data folder or a part of it is not there
├── BadData             a table or an archive of a data folder is there and cannot be read
├── PullError           a model cannot be fetched or is not what it should be
├── AdoptError          a backbone cannot take over as asked
└── TrainingError       a training cannot go on (its checkpoint belongs to another configuration)
"""


class VisionError(Exception):
    """Base of everything this room raises on purpose; its text is fit for a person."""


class WeightsError(VisionError):
    """A version folder is missing, incomplete, altered or of the wrong shape."""


class NotFinite(WeightsError):
    """A weight is NaN or infinite."""


class UnknownNetwork(VisionError):
    """A backbone or head was asked for by a name that is not registered."""


class BadImage(VisionError):
    """An array is not (H, W, 3) uint8 with at least one pixel."""


class DataMissing(VisionError):
    """A folder with photos or captions, or a file in it, does not exist."""


class BadData(VisionError):
    """A table, an archive or a photo of a data folder is broken; says where."""


class PullError(VisionError):
    """A model could not be fetched, verified or made into a version; says what became of it."""


class AdoptError(VisionError):
    """A backbone cannot take over: too few photos, or nothing to take over."""


class TrainingError(VisionError):
    """A training was told to continue from something it cannot continue from."""
