"""The lesson as a whole: its tables hold what it promises."""

from __future__ import annotations

import re

import pytest
from lessons.__main__ import main
from lessons.compress import lesson
from lessons.compress.lesson import Measured, Variant, as_table, measure
from lessons.compress.speed import Ratio

from .networks import PERCEPTRON, noise

ROW = re.compile(r"^(.+?)  +([\d,]+) +([\d.]+) +([\d.]+)% +([\d.]+) \(([\d.]+)–([\d.]+)\)$", re.MULTILINE)


@pytest.mark.soak
def test_a_variant_is_measured_as_it_was_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "SPEED_IMAGES", 50)
    ways = [Variant(name, PERCEPTRON, PERCEPTRON.initial(0)) for name in ("one", "same")]
    one, same = measure(ways, noise())
    assert (one.stored_bytes, one.right) == (same.stored_bytes, same.right)
    assert 0.2 < same.speed.median < 5


def test_the_table_compares_with_the_first_row() -> None:
    rows = [Measured("float32", 1000, 0.98, Ratio(1, 1, 1)), Measured("int8", 250, 0.975, Ratio(2, 1.5, 3))]
    assert ROW.findall(as_table(rows)) == [
        ("float32", "1,000", "1.0", "98.00", "1.00", "1.00", "1.00"),
        ("int8", "250", "4.0", "97.50", "2.00", "1.50", "3.00"),
    ]


@pytest.mark.soak
def test_the_lesson_makes_both_networks_smaller_and_keeps_what_they_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress"]) == 0
    printed = capsys.readouterr().out
    rows = ROW.findall(printed)
    assert len(rows) == 14
    for table in (rows[:7], rows[7:]):
        size = [float(row[2]) for row in table]
        right = [float(row[3]) for row in table]
        assert right[0] >= 96.5
        assert min(right[1:5]) >= right[0] - 1.5
        assert size[1] > 2.9
        assert 1.3 < size[2] < 2.1
        assert size[3] == size[4] > 2.4
        assert size[5] == size[6] > 5
    for after, with_it in re.findall(r"3 bits instead: ([\d.]+)% after training, ([\d.]+)% aware", printed):
        assert float(with_it) > float(after)
    assert re.search(r"int8 is (not faster on this device at a width of|faster on this device at each width)", printed)
