"""The file of figures holds what was measured, with when and where; what was not says why, and has no figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import main, renew
from benchmarks.tables import NOT_YET, Failed, NotMeasured, Section, sections_of, spread, table


def refuse(reason: NotMeasured):
    def measure() -> str:
        raise reason

    return measure


ENGINE = Section("engine", "Engine: `up`", lambda: table(("size", "seconds"), [("1", "2.0")]))
MACHINES = Section("machines", "Machines ÷ stock", lambda: "| 0.3 |")
EVERY = (ENGINE, MACHINES)


def test_a_section_tells_when_and_where_it_was_measured_and_how_busy_the_machine_was(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    assert renew(file, EVERY, EVERY) == []
    text = sections_of(file.read_text())["Engine: `up`"]
    assert text.startswith("Measured on 20")
    assert "load average" in text
    assert text.endswith("| size | seconds |\n|---:|---:|\n| 1 | 2.0 |")


def test_what_is_not_measured_again_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    renew(file, EVERY, [ENGINE])
    before = sections_of(file.read_text())
    assert before["Machines ÷ stock"] == NOT_YET
    renew(file, EVERY, [MACHINES])
    after = sections_of(file.read_text())
    assert after["Engine: `up`"] == before["Engine: `up`"]
    assert after["Machines ÷ stock"].endswith("| 0.3 |")


def test_what_cannot_be_measured_says_why_and_has_no_figure_of_before(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    renew(file, EVERY, EVERY)
    reasons = [NotMeasured("machines need root"), Failed("the measurement failed: no network")]
    for reason, failed in zip(reasons, ([], ["Machines ÷ stock"]), strict=True):
        assert renew(file, EVERY, [Section("machines", MACHINES.title, refuse(reason))]) == failed
        assert sections_of(file.read_text())["Machines ÷ stock"] == f"Not measured: {reason}."


def test_a_run_that_is_ended_keeps_what_it_has_measured(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"

    def end() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        renew(file, EVERY, [ENGINE, Section("machines", MACHINES.title, end)])
    assert "Measured on" in sections_of(file.read_text())["Engine: `up`"]


def test_a_spread_is_the_median_between_the_smallest_and_the_largest() -> None:
    assert spread([3.0, 1.0, 2.0], 1) == "2.0 (1.0–3.0)"


def test_a_group_that_there_is_not_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["machine"])
    assert ended.value.code == 2
    assert "there is no group machine: the groups are engine, machines, etl" in capsys.readouterr().err
