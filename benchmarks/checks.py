"""How small a slowdown the training job's checks find, and how often they blame a worker that is well."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks.jobs import job
from benchmarks.tables import Failed, Section, say, table

Trial = tuple[str, float]  # how process 1 is slowed down, and by what share
WORKER = Path(__file__).with_name("slow_worker.py")
SHARES = (0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10, 0.15, 0.20)
_TIMEOUT_S = 3600.0


def sections(trials: int) -> list[Section]:
    """One table, of so many runs a slowdown and twice as many clean ones."""
    title = "Checks before training: a worker slowed down in software, found in how many runs"
    return [Section("checks", title, lambda: measured(trials))]


def measured(trials: int) -> str:
    """The table, for two workers and for four of this machine."""
    rows: list[Sequence[str]] = []
    for workers in (2, 4):
        say(f"comparing {workers} workers, {trials} times for each slowdown")
        rows += curve(workers, trials)
    head = ("workers", "slower by", "runs", "found", "not known", "passed", "others blamed")
    note = "Half of the slowdowns are more work, half are waiting; 5 % is what the checks promise to find."
    return f"{table(head, rows)}\n\n{note}"


def curve(workers: int, trials: int) -> Iterator[Sequence[str]]:
    """A row for each slowdown, of trials that are spread over the whole time."""
    shares = (0.0, 0.0, *SHARES)
    told: list[Trial] = [(("work", "wait")[number % 2], share) for number in range(trials) for share in shares]
    with group(workers, {"TRIALS": json.dumps(told)}) as processes:
        outputs = [process.communicate(timeout=_TIMEOUT_S)[0] for process in processes]
    found = [[effect["status"] for effect in json.loads(line)] for line in outputs[0].splitlines()]
    if len(found) != len(told):
        raise Failed(f"{len(found)} of {len(told)} comparisons were made")
    for share in sorted(set(shares)):
        yield _row(workers, share, [one for one, (_, slow) in zip(found, told, strict=True) if slow == share])


def _row(workers: int, share: float, runs: Sequence[Sequence[str]]) -> Sequence[str]:
    of_slow = [statuses[1] for statuses in runs]
    others = [[status for number, status in enumerate(statuses) if number != 1 or not share] for statuses in runs]
    counts = [f"{of_slow.count(status) / len(runs):.0%}" if share else "" for status in ("FAIL", "UNKNOWN", "PASS")]
    blamed = sum("FAIL" in statuses for statuses in others)
    return (f"{workers}", f"{share:.0%}" if share else "no one", f"{len(runs)}", *counts, f"{blamed / len(runs):.1%}")


def group(workers: int, told: Mapping[str, str]) -> AbstractContextManager[list[subprocess.Popen[Any]]]:
    """So many processes of ``slow_worker`` as one job, whose texts are read from the first."""

    def streams(index: int) -> Mapping[str, Any]:
        stderr = subprocess.PIPE if index == 0 else subprocess.DEVNULL
        return {"stdout": subprocess.PIPE, "stderr": stderr, "text": True}

    return job([sys.executable, str(WORKER)], workers, told, streams)
