"""Figures of machines come from runs on machines; where none run, there is the reason, and nothing is started."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import machines
from benchmarks.tables import Failed, NotMeasured

RUNS = [
    {"what": "ours", "seconds": 6.0, "tasks": 60, "load": 1.0, "changed": False},
    {"what": "stock", "seconds": 24.0, "tasks": 60, "load": 2.0, "changed": False},
    {"what": "stock", "seconds": 30.0, "tasks": 60, "load": 3.0, "changed": False},
    {"what": "ours", "seconds": 12.0, "tasks": 60, "load": 3.0, "changed": False},
]


def section(title: str) -> Any:
    (found,) = [one for one in machines.sections(3, 2) if title in one.title]
    return found


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stands in for the measuring process; its command lines."""
    commands: list[list[str]] = []

    def run(command: list[str]) -> tuple[int, str, str]:
        commands.append(command)
        return 0, json.dumps(RUNS) + "\n", ""

    monkeypatch.setattr(machines, "_run", run)
    monkeypatch.setattr(machines.vehicle, "obstacle", lambda host: None)
    return commands


def test_where_machines_cannot_run_every_table_says_why_and_nothing_is_started(
    child: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines.vehicle, "obstacle", lambda host: "machines need root")
    for one in machines.sections(3, 2):
        with pytest.raises(NotMeasured, match=r"^machines need root$"):
            one.measure()
    assert child == []


def test_a_ratio_is_of_one_pair_whatever_its_order(child: list[list[str]]) -> None:
    row = section("÷ stock").measure().splitlines()[2]
    assert row == "| 2 | 0.150 (0.100–0.200) | 0.450 (0.400–0.500) | 0.33 (0.25–0.40) | 2.5 (1.0–3.0) |"


def test_what_several_tables_show_is_measured_once(child: list[list[str]]) -> None:
    taken = machines.Measurements({"machines": (3, 2)})
    taken.of("machines", "ours")
    taken.of("machines", "stock")
    assert [command[-3:] for command in child] == [["machines", "3", "2"]]


def test_a_measurement_that_fails_gives_its_reason_and_is_not_tried_again(
    child: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    def fail(command: list[str]) -> tuple[int, str, str]:
        calls.append(command)
        return 1, "", "on the way\nno network is free\n"

    monkeypatch.setattr(machines, "_run", fail)
    taken = machines.Measurements({"machines": (3, 2)})
    for _ in range(2):
        with pytest.raises(Failed, match="the measurement failed: no network is free"):
            taken.of("machines", "ours")
    assert len(calls) == 1


def test_a_measurement_that_takes_too_long_clears_up_and_is_told(tmp_path: Path) -> None:
    cleared = tmp_path / "cleared"
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        f"try: time.sleep(60)\nfinally: open({str(cleared)!r}, 'w').close()"
    )
    assert machines._run([sys.executable, "-c", program], timeout_s=1.0) == (1, "", "it took longer than 1 s")
    assert cleared.exists()
