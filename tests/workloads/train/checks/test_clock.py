from __future__ import annotations

import pytest
from train.checks.clock import ahead


def test_a_clock_that_is_off_is_found_among_others_whatever_one_reading_says() -> None:
    readings = [[100.0, 200.0, 300.0], [100.001, 200.0, 309.0], [103.0, 203.0, 303.0]]
    assert ahead(readings) == pytest.approx([0.0, 0.0, 3.0], abs=0.01)


def test_a_clock_alone_is_right() -> None:
    assert ahead([[5.0, 6.0]]) == [0.0]
