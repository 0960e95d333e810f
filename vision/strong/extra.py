"""The optional library behind the stronger models."""

import importlib
from types import ModuleType

from vision.errors import WeightsError

REQUIREMENTS = "requirements-strong.txt"


def transformers() -> ModuleType:
    """`transformers`, or WeightsError with the way to install it."""
    try:
        library = importlib.import_module("transformers")
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"This model needs the package {error.name}: pip install -r {REQUIREMENTS}."
        ) from error
    library.logging.set_verbosity_error()
    library.logging.disable_progress_bar()
    return library
