"""The comparison with published runs is within what the documentation says of it, and the documentation is fresh."""

from __future__ import annotations

from pathlib import Path

from operations.sizing import checks

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "sizing.md"


def test_three_published_runs_are_compared() -> None:
    assert len({item.run for item in checks.comparisons()}) == 3


def test_what_has_one_formula_everywhere_is_met() -> None:
    for item in checks.comparisons():
        if "FLOP" in item.what or "checkpoint" in item.what or "weights" in item.what:
            assert abs(item.off) < 0.1, item


def test_chip_hours_are_within_forty_percent_and_say_why() -> None:
    hours = [item for item in checks.comparisons() if "chip-hours" in item.what]
    assert len(hours) >= 3
    for item in hours:
        assert abs(item.off) < 0.4, item
        assert item.why


def test_the_documentation_has_this_table() -> None:
    assert checks.as_text(checks.comparisons()) in DOCUMENT.read_text(), "run: bin/aidc size --check"
