"""Folders of photos with what people said of them, laid out for training and evaluation alike.

Photos lie in tars: `<split>.tar`, `<split>-0.tar` and so on, or `photos.tar` for all splits; or as
files in folders called so. `captions.<lang>.csv.gz` (split, file, caption) describes them;
`labels.csv` (split, file, class, or class_name and no split) or the column `labels` of
`photos.csv.gz` (joined by ";") names what is on them. Every table may be gzipped or not. A table
without a split means the same photos whatever split is asked for. So one command measures any such
folder.
"""

from vision.collection.collection import Collection
from vision.collection.photos import decode, photo_name, read_tar
from vision.collection.survey import Survey, survey

__all__ = ["Collection", "Survey", "decode", "photo_name", "read_tar", "survey"]
