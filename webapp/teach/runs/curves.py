"""A run's curves as pictures: where lines, ticks and words go, for a template to draw as SVG."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor, isfinite, log10

from webapp.teach.runs.models import RunPoint, TrainingRun

# Units of the drawing; on a phone one is about a pixel, so that words stay readable.
WIDTH, HEIGHT = 400, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 40


@dataclass(frozen=True)
class Tick:
    """A word on an axis, and where it stands."""

    at: float
    word: str


@dataclass(frozen=True)
class Line:
    """One series of one fit: its points as SVG writes them, and its last value. `hue` is the number
    of the fit."""

    name: str
    series: str
    hue: int
    points: str
    last: str


@dataclass(frozen=True)
class Plot:
    """One measure against steps."""

    measure: str
    axis: str  # what goes from left to right
    lines: list[Line]
    across: list[Tick]
    up: list[Tick]
    told: str  # for those who cannot see it

    width, height = WIDTH, HEIGHT
    left, right, top, bottom = LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM
    middle_x, middle_y = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2


def plots_of(run: TrainingRun) -> list[Plot]:
    """A plot for each measure of the run, the first told first. What a training that diverged told
    (NaN, infinity) has no place on an axis."""
    told = RunPoint.objects.filter(run=run).order_by("pk")
    points = [point for point in told if isfinite(point.value)]
    order = {name: place for place, name in enumerate(dict.fromkeys(p.measure for p in points))}
    points.sort(key=lambda each: (order[each.measure], each.fit, each.series, each.step))
    return [
        draw(measure, list(of_it))
        for measure, of_it in groupby(points, lambda point: point.measure)
    ]


def draw(measure: str, points: Sequence[RunPoint]) -> Plot:
    """The plot of one measure; `points` by fit, series and step."""
    last_step = max(point.step for point in points)
    up = nice_ticks([point.value for point in points])
    low, high = up[0], up[-1]

    def x(step: float) -> float:
        return round(LEFT + (WIDTH - RIGHT - LEFT) * step / max(1, last_step), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - low) / (high - low), 1)

    fits = sorted({point.fit for point in points})
    lines = []
    for name, mine in _by_line(points):
        path = " ".join(f"{x(point.step)},{y(point.value)}" for point in mine)
        hue = fits.index(mine[0].fit)
        lines.append(Line(name, mine[0].series, hue, path, f"{mine[-1].value:.3g}"))
    across = nice_ticks([0, last_step])
    return Plot(
        measure=measure,
        axis="epoch" if any(fits) else "step",
        lines=lines,
        across=[Tick(x(step), f"{step:,.0f}") for step in across if step <= last_step],
        up=[Tick(y(value), f"{value:.6g}") for value in up],
        told=_told(measure, points),
    )


def nice_ticks(values: Iterable[float], wanted: int = 4) -> list[float]:
    """Round numbers from below the least value to above the greatest, about as many as wanted."""
    low, high = min(known := list(values)), max(known)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / wanted
    power = 10.0 ** floor(log10(raw))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= raw * 0.999)
    first = floor(low / step + 1e-9)
    count = ceil((high - first * step) / step - 1e-9)
    return [round((first + number) * step, 10) for number in range(max(1, count) + 1)]


def _told(measure: str, points: Sequence[RunPoint]) -> str:
    said = [
        f"{name} from {mine[0].value:.3g} to {mine[-1].value:.3g}"
        for name, mine in _by_line(points)
    ]
    return f"{measure} over {max(point.step for point in points):,} steps: {', '.join(said)}"


def _by_line(points: Sequence[RunPoint]) -> Iterator[tuple[str, list[RunPoint]]]:
    """What belongs to one line, and what that is called."""
    for (fit, series), own in groupby(points, lambda point: (point.fit, point.series)):
        yield (f"{fit}, {series}" if fit else series), list(own)
