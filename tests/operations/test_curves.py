"""Curves in a line of a terminal and in a box of an SVG: all numbers in it, and a gap where there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from operations.curves import ASCII, BLOCKS, HEIGHT, SPARK_WIDTH, WIDTH, chart, spark


def test_a_curve_of_a_line_goes_from_the_lowest_block_to_the_highest() -> None:
    assert spark([0, 1, 2, 3, 4, 5, 6, 7]) == BLOCKS
    assert spark([7, None, 0], ASCII) == f"{ASCII[-1]} {ASCII[0]}"


@pytest.mark.parametrize("values", [[], [None], [None, None], [3.0], [5.0, 5.0], [0.0, 0.0], [-2.0]])
def test_a_curve_without_rise_or_without_numbers_is_drawn_too(values: list[float | None]) -> None:
    assert len(spark(values)) == len(values)
    made = chart(range(1, len(values) + 1), [("a", values)])
    assert (made is None) == all(one is None for one in values)


def test_many_numbers_share_a_column_by_their_mean() -> None:
    assert len(spark([float(n) for n in range(1000)])) == SPARK_WIDTH
    assert spark([*[1.0] * 99, None, *[2.0] * 100], width=2) == BLOCKS[0] + BLOCKS[-1]


def test_all_points_of_a_chart_are_in_its_box_and_a_gap_breaks_the_line() -> None:
    made = chart([10, 20, 30, 40], [("a", [1e-3, None, 2e-3, 5e-3]), ("b", [None, 9.0, None, -4.0])])
    assert made is not None
    first, second = (curve.path for curve in made.curves)
    assert (first.count("M"), first.count("L")) == (2, 1)
    assert (second.count("M"), second.count("h0")) == (2, 2)  # points without neighbours are dots
    numbers = [tuple(map(float, pair)) for pair in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", first + second)]
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in numbers)
    assert made.gaps == (made.left + round((made.right - made.left) / 3, 1),)


def test_no_two_of_sixteen_workers_look_alike() -> None:
    made = chart([1, 2], [(str(n), [n, n + 1]) for n in range(16)])
    assert made is not None
    assert len({(curve.color, curve.dash) for curve in made.curves}) == 16


@pytest.mark.parametrize(("low", "high"), [(1, 60), (1, 2), (1, 1_000_000), (21, 22)])
def test_the_axis_of_steps_has_whole_numbers_in_its_range(low: int, high: int) -> None:
    made = chart([low, high], [("a", [0.021, 0.0213])])
    assert made is not None
    labels = [int(tick.label.replace(",", "")) for tick in made.x_ticks]
    assert labels
    assert all(low <= label <= high for label in labels)
    assert 2 <= len(made.y_ticks) <= 8


LARGEST = 1.7976931348623157e308
anything = st.lists(st.none() | st.floats(), max_size=90)
finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(anything)
@example([1e308, -1e308])
@example([0.0, 5e-324])
@example([LARGEST] * 100)
@example([float("inf"), 1.0, float("nan")])
def test_any_numbers_have_a_line_and_a_chart(values: list[float | None]) -> None:
    line = spark(values, ASCII)
    assert len(line) == min(len(values), SPARK_WIDTH)
    assert set(line) <= {*ASCII, " "}
    made = chart(range(1, len(values) + 1), [("a", values)])
    assert (made is None) == (not line.strip())
    if made:
        drawn = re.findall(r"[ML]([\d.-]+) ([\d.-]+)", made.curves[0].path)
        assert len(drawn) + len(made.gaps) == len(values)
        assert all(made.left <= float(x) <= made.right and made.top < float(y) < made.bottom for x, y in drawn)
        assert all(made.top <= tick.at <= made.bottom and "n" not in tick.label for tick in made.y_ticks)  # inf, nan


@settings(max_examples=60, deadline=None)
@given(st.lists(finite, min_size=2, max_size=SPARK_WIDTH, unique=True))
@example([0.0, 5e-324])
@example([1.0, 1.0000000000000002])
def test_the_lowest_of_different_numbers_is_at_the_bottom_and_the_highest_at_the_top(values: list[float]) -> None:
    line = spark(values)
    assert line[values.index(min(values))] == BLOCKS[0]
    assert line[values.index(max(values))] == BLOCKS[-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2**53), min_size=1, max_size=20))
@example([2**53 - 1, 2**53])
def test_any_steps_have_an_axis_of_whole_numbers_among_them(steps: Sequence[int]) -> None:
    made = chart(steps, [("a", [1.0] * len(steps))])
    assert made is not None
    assert len(made.x_ticks) <= 7
    top = max(steps) if max(steps) > min(steps) else 2 * min(steps) or 1
    assert all(min(steps) <= int(tick.label.replace(",", "")) <= top for tick in made.x_ticks)
