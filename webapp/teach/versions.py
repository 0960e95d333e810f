"""Model versions: which there are, which is at work, and changing from one to another."""

from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from webapp.teach.services import SHIPPED_WEIGHTS, active_version, weights_folder


def folder_to_measure() -> Path:
    """The active version's weights; in a clone that was never run, the version that ships."""
    try:
        return weights_folder(active_version())
    except DatabaseError:
        return SHIPPED_WEIGHTS / settings.MAREA_MODEL
