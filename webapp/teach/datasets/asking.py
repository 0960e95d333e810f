"""Asking for a classifier."""

from typing import Any

from webapp.errors import Refused
from webapp.teach.data_models import DataSet
from webapp.teach.datasets.registering import tidy_title

# The first is what most people want: whichever does best on photos kept aside.
HEADS = ("auto", "linear", "deep")


def parameters_of(data_set: DataSet, *, title: str, head: str) -> dict[str, Any]:
    """What a run of the kind `problem` needs to know. Raises `Refused`."""
    if data_set.state != DataSet.State.READY:
        raise Refused("The photos are not read yet. Nothing was started.")
    if head not in HEADS:
        raise Refused(f"There is no such head; there are {', '.join(HEADS)}.", field="head")
    return {"data_set": data_set.pk, "title": tidy_title(title), "head": head}
