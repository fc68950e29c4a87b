"""The tables of machines: booting, configuring, training, and the whole of ``make up``.

Where machines cannot run, every section says why, and has no figures.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.tables import Failed, NotMeasured, Section, say, spread, table
from local import vehicle
from local.paths import CHECKOUT
from setup.host import Host

_TIMEOUT_S, _CLEARING_S = 900.0, 120.0
_LOAD = "load average at the starts"

Run = Mapping[str, Any]


class Measurements:
    """The runs of each subject, taken once for all the tables that show them; ``counts``: its rounds and pairs."""

    def __init__(self, counts: Mapping[str, tuple[int, int]]) -> None:
        self._counts = counts
        self._runs: dict[str, list[Run] | NotMeasured] = {}

    def of(self, subject: str, what: str) -> list[Run]:
        """The runs of a kind, in the order in which they were made.

        Raises:
            NotMeasured: machines cannot run here, or the measurement failed.
        """
        if subject not in self._runs:
            self._runs[subject] = _measured(subject, *self._counts[subject])
        found = self._runs[subject]
        if isinstance(found, NotMeasured):
            raise found
        return [run for run in found if run["what"] == what]


def sections(rounds: int, pairs: int) -> list[Section]:
    """``rounds`` of each figure (of a whole data centre, which takes a minute, two), and ``pairs`` of each ratio."""
    taken = Measurements({"machines": (rounds, pairs), "training": (min(rounds, 2), pairs)})
    titled: list[tuple[str, Callable[[Measurements], str]]] = [
        ("Machines: from start to Ready", _boots),
        ("Configuring two machines with the playbooks", _converging),
        ("Configuring with our settings of Ansible ÷ stock ones: two machines, nothing to change", _settings),
        ("From pod to first training step: two pods on two machines, the image is there", _training),
        ("A data centre of two machines: `make up` and `make down`", _whole),
    ]
    return [Section("machines", title, partial(table_of, taken), rows_tell_load=True) for title, table_of in titled]


def _measured(subject: str, rounds: int, pairs: int) -> list[Run] | NotMeasured:
    """In a process of its own."""
    if (obstacle := vehicle.obstacle(Host.here())) is not None:
        return NotMeasured(obstacle)
    say(f"{subject} {rounds} {pairs}")
    command = [sys.executable, "-m", "benchmarks.on_machines", subject, str(rounds), str(pairs)]
    status, output, errors = _run(command)
    if status:
        say(f"{subject} failed:\n{errors}")
        return Failed(f"the measurement failed: {(errors.strip().splitlines() or ['it said nothing'])[-1]}")
    return json.loads(output.splitlines()[-1])


def _run(command: Sequence[str], timeout_s: float = _TIMEOUT_S) -> tuple[int, str, str]:
    """A program's status, output and errors. One that takes too long is asked to clear up, with all that it started."""
    process = subprocess.Popen(
        command, cwd=CHECKOUT, start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        output, errors = process.communicate(timeout=timeout_s)
        return process.returncode, output, errors
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=_CLEARING_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return 1, "", f"it took longer than {timeout_s:g} s"


def _boots(taken: Measurements) -> str:
    rows = []
    for what in ("one machine", "two at once"):
        runs = taken.of("machines", what)
        rows.append((what, spread(_column(runs, "seconds")), _loads(runs)))
    return table(("started", "seconds", _LOAD), rows)


def _converging(taken: Measurements) -> str:
    rows = []
    for what in ("first", "second"):
        runs = taken.of("machines", what)
        changed = sum(run["changed"] for run in runs)
        rows.append((
            what, str(max(run["tasks"] for run in runs)), spread(_column(runs, "seconds"), 1), spread(_per_task(runs)),
            f"{changed} of {len(runs)}", _loads(runs),
        ))  # fmt: skip
    return table(("run", "host-tasks", "seconds", "seconds a host-task", "changed anything", _LOAD), rows)


def _settings(taken: Measurements) -> str:
    ours, stock = taken.of("machines", "ours"), taken.of("machines", "stock")
    row = (
        str(len(ours)), spread(_per_task(ours), 3), spread(_per_task(stock), 3),
        spread(_ratios(_per_task(ours), _per_task(stock))), _loads([*ours, *stock]),
    )  # fmt: skip
    head = ("pairs", "ours, s a host-task", "stock, s a host-task", "ours ÷ stock", _LOAD)
    return f"{table(head, [row])}\n\nThe pairs are taken as A-B, B-A, A-B, …; a ratio is that of one pair."


def _training(taken: Measurements) -> str:
    kinds = {kind: taken.of("training", kind) for kind in ("empty", "filled")}
    rows = [
        (
            kind, spread(_column(runs, "seconds"), 1), spread(_column(runs, "from_process")),
            spread(_column(runs, "from_job")), _loads(runs),
        )
        for kind, runs in kinds.items()
    ]  # fmt: skip
    ratios = _ratios(_column(kinds["filled"], "from_process"), _column(kinds["empty"], "from_process"))
    return (
        table(("compilation cache", "container's start to step, s", "process's start, s", "job made, s", _LOAD), rows)
        + f"\n\nFilled ÷ empty, from the process's start: {spread(ratios)} in {len(ratios)} pairs, taken in turn. "
        "The container's start is the API's, which has whole seconds: up to one too many. The process's is the "
        "kernel's. Seconds are those of the pod that waited longest."
    )


def _whole(taken: Measurements) -> str:
    rows = []
    for what, named in (("up", "`make up`, the training job included"), ("down", "`make down`")):
        runs = taken.of("training", what)
        rows.append((named, str(len(runs)), spread(_column(runs, "seconds"), 1), _loads(runs)))
    head = ("command", "runs", "seconds", _LOAD)
    return f"{table(head, rows)}\n\nEach `make up` comes after a `make down`: what is built and cached stays."


def _column(runs: Iterable[Run], name: str) -> list[float]:
    return [float(run[name]) for run in runs]


def _per_task(runs: Iterable[Run]) -> list[float]:
    return [run["seconds"] / run["tasks"] for run in runs]


def _ratios(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    """Pair by pair."""
    return [one / other for one, other in zip(ones, others, strict=True)]


def _loads(runs: Iterable[Run]) -> str:
    return spread(_column(runs, "load"), 1)
