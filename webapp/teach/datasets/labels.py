"""The name of a folder as a tag. Folder names are hostile text in any script."""

from webapp.errors import Refused
from webapp.teach.services import tidy_tag


def tidy_label(folder: str) -> str:
    """A tag, as people would type it; "" when nothing is left of it or it is too long.

    Underscores are spaces, as file systems had it. What pages cannot show is gone already.
    """
    try:
        return tidy_tag(folder.encode("utf-8", "replace").decode().replace("_", " "))
    except Refused:
        return ""
