"""The screen is the one in screen.txt; what is unknown is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from operations.sizing import report
from operations.sizing.machines import Machine
from operations.sizing.model import Request
from operations.sizing.plan import plan
from tests.operations.sizing.conftest import machine

GOLDEN = Path(__file__).with_name("screen.txt")


def test_the_screen_is_this(request_70b: Request, known: Machine, unpriced: Machine, unmeasured: Machine) -> None:
    found = plan(replace(request_70b, budget_usd=5e6), [known, unpriced, unmeasured])
    assert report.as_text(found, report.assumptions(found.request, ["this"])) + "\n" == GOLDEN.read_text()


def test_what_is_unknown_is_said_and_never_zero(request_70b: Request, unpriced: Machine) -> None:
    shown = report.as_text(plan(request_70b, [unpriced]), []).splitlines()
    for label in ("price", "power", "energy"):
        (line,) = [line for line in shown if line.startswith(label)]
        assert "unknown" in line
        assert "0" not in line


def test_the_data_is_json_with_null_where_nothing_is_known(request_70b: Request, unpriced: Machine) -> None:
    data = json.loads(json.dumps(report.as_data(plan(request_70b, [unpriced]), ["this"])))
    assert data["options"][0]["cost_usd"] is None
    assert data["request"]["model"]["layers"] == 72
    assert data["assumptions"] == ["this"]


def test_more_options_than_a_screen_holds_are_counted(request_70b: Request) -> None:
    many = [machine(f"x1.{n}", usd_per_hour=None) for n in range(4)]
    assert "and 3 more: see --output json" in report.as_text(plan(request_70b, many), [])
