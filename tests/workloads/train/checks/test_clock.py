from __future__ import annotations

import pytest
from train.checks.clock import ahead


def test_a_clock_that_is_off_is_found_among_others_whatever_one_reading_says() -> None:
    readings = [[100.0, 200.0, 300.0], [100.001, 200.0, 309.0], [103.0, 203.0, 303.0]]
    assert ahead(readings) == pytest.approx([0.0, 0.0, 3.0], abs=0.01)


def test_a_clock_alone_is_right() -> None:
    assert ahead([[5.0, 6.0]]) == [0.0]


def test_two_clocks_differ_by_all_that_lies_between_them() -> None:
    assert ahead([[10.0, 20.0], [10.9, 20.9]]) == pytest.approx([-0.9, 0.9])


@pytest.mark.parametrize("nodes", [3, 4, 5, 6])
def test_a_clock_that_is_off_makes_no_other_seem_to_be(nodes: int) -> None:
    readings = [[0.0]] * (nodes - 1) + [[1.2]]
    assert ahead(readings) == pytest.approx([0.0] * (nodes - 1) + [1.2])


def test_where_half_of_the_clocks_differ_from_the_other_half_none_is_trusted() -> None:
    assert ahead([[0.0], [0.0], [0.9], [0.9]]) == pytest.approx([-0.9, -0.9, 0.9, 0.9])
