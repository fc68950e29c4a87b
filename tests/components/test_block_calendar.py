"""A capacity block's nodes come with the block and go before EC2 takes them, whenever the program runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.block_calendar import actions, tell
from components.settings import BlockCalendar
from components.settings.pool_sections import EVICTED_MINUTES, TERMINATED_MINUTES

from .mocks import Cloud
from .stack_files import GOOD, problems
from .test_node_pool import pool

BLOCK: dict[str, Any] = {
    "instance_type": "p5.48xlarge", "capacity": "capacity_block", "capacity_reservation_id": "cr-0123456789abcdef0",
    "desired_size": 4, "zone": "us-east-1a",
}  # fmt: skip
TIMES = {"start": "2026-12-01T11:30:00Z", "end": "2026-12-15T11:30:00Z"}


def node_group(cloud: Cloud) -> dict[str, Any]:
    (found,) = cloud.of("aws:eks/nodeGroup:NodeGroup").values()
    return found


def test_the_group_is_empty_until_its_schedule_fills_it_and_empties_it_before_the_end() -> None:
    cloud = pool(**BLOCK, calendar=TIMES)
    assert node_group(cloud)["scalingConfig"] == {"minSize": 0, "desiredSize": 0, "maxSize": 4}
    found = cloud.of("aws:autoscaling/schedule:Schedule").values()
    assert {(one["recurrence"], one["timeZone"], one["desiredCapacity"]) for one in found} == {
        ("30 11 1 12 *", "UTC", 4),
        ("30 10 15 12 *", "UTC", 0),
    }
    assert {(one["autoscalingGroupName"], one["minSize"], one["maxSize"]) for one in found} == {
        ("eks-pool-p-nodes", -1, -1)
    }
    assert not any("startTime" in one for one in found)


def test_a_block_that_has_begun_has_its_nodes_at_once() -> None:
    cloud = pool(**BLOCK, calendar={"end": TIMES["end"]})
    assert node_group(cloud)["scalingConfig"]["desiredSize"] == 4
    (drain,) = cloud.of("aws:autoscaling/schedule:Schedule").values()
    assert drain["desiredCapacity"] == 0


def test_without_a_calendar_nothing_is_scheduled() -> None:
    cloud = pool(**BLOCK)
    assert cloud.of("aws:autoscaling/schedule:Schedule") == {}
    assert node_group(cloud)["scalingConfig"]["desiredSize"] == 4


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is told of the clock, with how loud."""
    said: list[str] = []
    for level in ("warn", "info"):
        monkeypatch.setattr(f"pulumi.log.{level}", lambda text, _, level=level: said.append(f"{level}: {text}"))
    return said


@pytest.mark.parametrize(
    ("now", "tells"),
    [
        ("2026-12-01T11:29:00Z", None),
        ("2026-12-01T11:30:00Z", r"info: .*of pool `h100` has begun \(2026-12-01 11:30 UTC\).*take `start` out"),
        ("2026-12-15T10:29:00Z", r"info: .*has begun"),
        ("2026-12-15T10:30:00Z", r"warn: .*is over \(its nodes left by 2026-12-15 10:30 UTC\).*take the pool out"),
    ],
)
def test_a_block_that_began_or_ended_is_told(told: list[str], now: str, tells: str | None) -> None:
    tell("h100", BlockCalendar.model_validate(TIMES), cast(pulumi.Resource, None), datetime.fromisoformat(now))
    assert [bool(re.match(tells or "never", text)) for text in told] == [True] * (tells is not None)


def test_who_takes_start_out_is_not_told_that_the_block_has_begun(told: list[str]) -> None:
    tell("h100", BlockCalendar.model_validate({"end": "2099-12-15T11:30:00Z"}), cast(pulumi.Resource, None))
    assert told == []


def test_the_program_warns_of_a_block_that_has_ended(told: list[str]) -> None:
    pool(**BLOCK, calendar={"end": "2026-01-15T11:30:00Z"})
    assert [text[:44] for text in told] == ["warn: The capacity block of pool `p` is over"]


@settings(max_examples=50)
@given(
    end=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    drain_minutes=st.integers(TERMINATED_MINUTES + EVICTED_MINUTES, 1440),
)
def test_pods_have_their_time_before_ec2_takes_the_machines(end: datetime, drain_minutes: int) -> None:
    end = end.replace(second=0, microsecond=0)
    (drain,) = actions(BlockCalendar(end=end, drain_minutes=drain_minutes), 4)
    minute, hour, day, month = map(int, drain.recurrence.split()[:4])
    fires = max(datetime(end.year - back, month, day, hour, minute, tzinfo=UTC) for back in _years(end, month, day))
    assert fires + timedelta(minutes=EVICTED_MINUTES) <= end - timedelta(minutes=TERMINATED_MINUTES)
    assert fires >= end - timedelta(minutes=1440)


def _years(end: datetime, month: int, day: int) -> list[int]:
    return [0] if (month, day) <= (end.month, end.day) else [1]


def test_a_time_of_another_zone_is_the_same_moment_in_utc() -> None:
    one, other = (BlockCalendar.model_validate({"end": text}) for text in ("2026-12-15T12:30:00+01:00", TIMES["end"]))
    assert one == other
    assert actions(one, 1)[0].name == "drain-20261215T1030Z"


def problems_of(tmp_path: Path, more: str, name: str = "block") -> list[str]:
    fields = {**BLOCK, "desired_size": 2}
    lines = "".join(f"      {key}: {value}\n" for key, value in fields.items())
    text = GOOD.replace("  ai-datacenter:smoke_test:", f"    {name}:\n{lines}{more}  ai-datacenter:smoke_test:")
    text = text.replace("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\n    zones: [us-east-1a, us-east-1b, us-east-1c]")
    return [f"{problem.key}: {problem.message}" for problem in problems(tmp_path, text)]


@pytest.mark.parametrize(
    ("calendar", "what"),
    [
        ('start: 2026-12-01T11:30:00Z, end: "2026-12-15T11:30:00Z"', "calendar.start"),
        ('end: "2026-12-15 11:30"', "no time of whole minutes with its zone"),
        ('end: "2026-12-15T11:30:00"', "no time of whole minutes with its zone"),
        ('end: "2026-02-30T11:30:00Z"', "no time of whole minutes with its zone"),
        ('end: "0001-01-01T00:00:00+14:00"', "no time of whole minutes with its zone"),
        ('end: "2026-12-15T11:30:30Z"', "no time of whole minutes with its zone"),
        ('start: "2026-12-15T11:30:00Z", end: "2026-12-15T11:30:00Z"', "end before it begins"),
        ('start: "2026-12-15T11:30:00Z", end: "2026-12-15T12:15:00Z"', "before they start"),
        ('start: "2026-01-01T11:30:00Z", end: "2026-07-03T11:30:00Z"', "at most 182"),
        ('end: "2026-12-15T11:30:00Z", drain_minutes: 30', "greater than or equal to 45"),
        ("{}", "is missing"),
    ],
)
def test_a_calendar_that_no_block_has_is_told(tmp_path: Path, calendar: str, what: str) -> None:
    text = calendar if calendar == "{}" else f"{{ {calendar} }}"
    (problem,) = problems_of(tmp_path, f"      calendar: {text}\n")
    assert "pools.block.calendar" in problem
    assert what in problem


@pytest.mark.parametrize(
    ("more", "key"),
    [("min_size: 1", "min_size"), ("max_size: 3\n      autoscaled: true", "autoscaled")],
)
def test_what_would_keep_nodes_past_the_block_is_told(tmp_path: Path, more: str, key: str) -> None:
    (problem,) = problems_of(tmp_path, f'      {more}\n      calendar: {{ end: "2026-12-15T11:30:00Z" }}\n')
    assert problem.startswith(f"ai-datacenter:pools.block.{key}: ")


def test_the_training_job_does_not_wait_for_a_block_that_has_not_begun(tmp_path: Path) -> None:
    line = '      calendar: { start: "2026-12-01T11:30:00Z", end: "2026-12-15T11:30:00Z" }\n'
    lines = "".join(f"      {key}: {value}\n" for key, value in BLOCK.items())
    text = GOOD.replace("      instance_type: m7i.large\n      desired_size: 2\n", lines + line).replace(
        "cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\n    zones: [us-east-1a, us-east-1b, us-east-1c]"
    )
    (problem,) = problems(tmp_path, text)
    assert problem.key == "ai-datacenter:smoke_test.pool"


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('calendar: { end: "2026-12-15T11:30:00Z" }', "only a capacity block begins and ends"),
        ("warm_pool: { min_size: 1 }", "only an autoscaler"),
        ("warm_pool: { min_size: 1 }\n      autoscaled: true\n      max_size: 4\n      capacity: spot", "on demand"),
        (
            "warm_pool: { min_size: 1 }\n      autoscaled: true\n      max_size: 4\n      instance_type: g6.xlarge",
            "no capacity to come back to",
        ),
    ],
)
def test_what_a_pool_has_no_use_for_is_told(tmp_path: Path, more: str, what: str) -> None:
    text = GOOD.replace("      desired_size: 2", f"      desired_size: 2\n      {more}")
    if "instance_type: g6" in more:
        text = text.replace("      instance_type: m7i.large\n", "")
    assert [what in problem.message for problem in problems(tmp_path, text)] == [True]
