"""One folder of photos with what people said of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vision.collection.photos import decode_or_none, is_source, read_files, stem_of
from vision.collection.tables import Row, find_table, read_table
from vision.errors import DataMissing
from vision.sight import Image

SHARED = ("photos", "images")  # what holds the photos of all splits is called so
LABELS, PHOTOS = "labels", "photos"  # tables
MEASURED = ("dev", "val", "validation", "test")  # splits that are measured, the first that is there


@dataclass(frozen=True, slots=True)
class Collection:
    """One folder of photos with captions or labels."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def archives(self, split: str) -> list[Path]:
        """The tars with the photos of a split, sorted. Raises DataMissing when there is none."""
        if found := [path for path in self.sources(split) if not path.is_dir()]:
            return found
        raise DataMissing(f"The photos of {split!r} in {self.folder} are not in tars.")

    def sources(self, split: str) -> list[Path]:
        """The tars, or else folders, with the photos of a split. Raises DataMissing."""
        found = self._own_sources(split) or self._shared_sources()
        if not found:
            raise DataMissing(
                f"There are no photos of the split {split!r}: {self.folder}/{split}*.tar does not "
                f"exist, nor does {self.folder}/{SHARED[0]}.tar or a folder that is called so. "
                "Point --data at a folder with such photos and captions.en.csv.gz or labels.csv."
            )
        tars = [path for path in found if not path.is_dir()]
        return tars or found

    def photos(self, split: str) -> Iterator[tuple[str, Image]]:
        """(name, upright RGB array) of each photo of a split that can be read, see `survey` for
        others. Raises DataMissing where there is none."""
        found = 0
        for name, content in self.files(split):
            if (image := decode_or_none(content)) is not None:
                found += 1
                yield name, image
        if not found:
            raise DataMissing(f"There is no photo of the split {split!r} in {self.folder}.")

    def files(self, split: str) -> Iterator[tuple[str, bytes]]:
        """(name, content) of each photo of a split, whether it can be read or not."""
        sources, members = self.sources(split), self.members(split)
        for source in sources:
            for name, content in read_files(source):
                if members is None or name in members:
                    yield name, content

    def captions(
        self, split: str, *, lang: str = "en", kind: str | None = None
    ) -> dict[str, list[str]]:
        """Captions of each photo of a split, in the order of the table, without empty ones.

        `kind` takes only those of one kind, where the table has that column ("translation").
        """
        table = find_table(self.folder, f"captions.{lang}")
        if table is None:
            missing = self.folder / f"captions.{lang}.csv.gz"
            raise DataMissing(f"{missing} does not exist; without captions this cannot be done.")
        captions: dict[str, list[str]] = {}
        for row in read_table(table, needs=("file", "caption")):
            told = row["caption"].strip()
            if told and _is_of(row, split) and (kind is None or row.get("kind", kind) == kind):
                captions.setdefault(row["file"], []).append(told)
        return captions

    def captions_if_any(
        self, split: str, *, lang: str = "en", kind: str | None = None
    ) -> dict[str, list[str]]:
        """The same; nothing where nobody wrote in that language."""
        return self.captions(split, lang=lang, kind=kind) if self.has_captions(lang) else {}

    def has_captions(self, lang: str) -> bool:
        return find_table(self.folder, f"captions.{lang}") is not None

    def labels(self, split: str) -> dict[str, list[str]] | None:
        """The names of what is on each photo of a split; None where nobody labelled anything."""
        for table in (LABELS, PHOTOS):
            rows = [row for row in self.table(table) if _is_of(row, split)]
            if labelled := {row["file"]: names for row in rows if (names := _names(row))}:
                return labelled
        return None

    def splits(self) -> set[str]:
        """The splits that tables and sources name; none where all photos are of any split."""
        told = {row["split"] for rows in self._tables() for row in rows if row.get("split")}
        others = set(self._all_sources()) - set(self._shared_sources())
        for split in told:
            others -= set(self._own_sources(split))
        tars = {_split_of(path) for path in others if not path.is_dir()}
        return told | tars or {path.name for path in others}

    def split_to_measure(self, wanted: str | None = None) -> str:
        """`wanted`, or else the one that is usually measured. Raises DataMissing with the names of
        those that there are."""
        if not self.folder.is_dir():
            raise DataMissing(f"The folder {self.folder} does not exist.")
        splits = self.splits()
        named = ", ".join(sorted(splits))
        if wanted is not None:
            if splits and wanted not in splits:
                raise DataMissing(f"{self.folder} has no split {wanted!r}; it has {named}.")
            return wanted
        usual = [split for split in MEASURED if split in splits]
        if usual or len(splits) < 2:
            return [*usual, *splits, MEASURED[0]][0]
        raise DataMissing(f"Say which split of {self.folder} by --split; it has {named}.")

    def members(self, split: str) -> set[str] | None:
        """Which photos of a shared source belong to a split; None: all that its sources hold."""
        tables = [] if self._own_sources(split) else list(self._tables())
        if not tables:
            return None
        members = {row["file"] for row in tables[0] if _is_of(row, split)}
        if not members:
            raise DataMissing(f"No table in {self.folder} names a photo of the split {split!r}.")
        return members

    def told(self, split: str) -> set[str]:
        """The photos of a split that any table names."""
        return {row["file"] for rows in self._tables() for row in rows if _is_of(row, split)}

    def table(self, name: str) -> list[Row]:
        """The rows of a table, none where it is not there."""
        path = find_table(self.folder, name)
        return [] if path is None else read_table(path)

    def _tables(self) -> Iterator[list[Row]]:
        """Those that name photos, and the captions of all languages in one."""
        captions = {path.name.partition(".csv")[0] for path in self.folder.glob("captions.*.csv*")}
        told = [row for name in sorted(captions) for row in self.table(name)]
        yield from filter(None, (self.table(LABELS), self.table(PHOTOS), told))

    def _all_sources(self) -> list[Path]:
        return sorted(filter(is_source, self.folder.glob("*")))

    def _own_sources(self, split: str) -> list[Path]:
        return [path for path in self._all_sources() if _belongs(path, split)]

    def _shared_sources(self) -> list[Path]:
        return [path for name in SHARED for path in self._own_sources(name)]


def _belongs(source: Path, split: str) -> bool:
    """train.tar, train-0.tar, train_rest.tar and train2.tar belong to "train", trained.tar not; a
    folder has the very name."""
    stem = stem_of(source)
    more = "" if source.is_dir() else r"([-_.].*|\d+)?"
    return re.fullmatch(re.escape(split) + more, stem) is not None


def _split_of(tar: Path) -> str:
    """ "train" of train.tar and of train-0.tar."""
    return re.sub(r"[-_.]?\d+$", "", stem_of(tar))


def _is_of(row: Row, split: str) -> bool:
    """A row without a split is of any."""
    return (row.get("split") or split) == split


def _names(row: Row) -> list[str]:
    """The labels of one row of a table, as a person would write them: with spaces for "_"."""
    if "labels" in row:
        names = [name.strip() for name in row["labels"].split(";")]
    else:
        names = [row.get("class") or row.get("class_name") or ""]
    return [name.replace("_", " ") for name in names if name]
