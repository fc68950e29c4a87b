from __future__ import annotations

import time

import pytest
from lessons.compress.speed import ratio


def test_what_takes_a_third_of_the_time_is_three_times_as_fast() -> None:
    found = ratio(lambda: time.sleep(0.015), lambda: time.sleep(0.005), rounds=3, at_least_s=0)
    assert found.low <= found.median <= found.high
    assert 1.5 < found.median < 4  # where others keep the cores busy, a sleeper wakes late


def test_a_machine_that_slows_down_steadily_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0, 0.0]  # now, and how many calls there were

    def work() -> None:
        clock[1] += 1
        clock[0] += 1 + 0.01 * clock[1]

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    assert ratio(work, work, rounds=5, at_least_s=0).median == pytest.approx(1)


def test_the_first_call_of_each_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, compiled = [0.0], set()

    def work(name: str) -> None:
        clock[0] += 1 if name in compiled else 1000
        compiled.add(name)

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    found = ratio(lambda: work("one"), lambda: work("other"), rounds=3, at_least_s=0)
    assert (found.low, found.high) == (1, 1)
