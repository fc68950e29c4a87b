"""Tables of the training job as a whole: how long until its verdict, and what a killed worker costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.jobs import job
from benchmarks.tables import Failed, Section, say, spread, table

_TIMEOUT_S = 300.0
_EVERY = 20  # steps from one checkpoint to the next
_KILLED_AFTER = 3 * _EVERY + _EVERY // 2
_ENDLESS = {"steps": 1_000_000, "checkpoint_every": _EVERY, "log_every": 1, "checks": "off"}
_STEP = re.compile(r"step (\d+): loss")


def sections(pairs: int) -> list[Section]:
    """One table of starts in so many pairs, one of so many kills."""
    start = "Training job: from the start of its process to its verdict, the small model on this CPU"
    kill = "Training job: a worker of two is killed, and the job started again"
    return [
        Section("train", start, lambda: _starts(pairs)),
        Section("train", kill, lambda: _kills(pairs)),
    ]


def _starts(pairs: int) -> str:
    cold, cached = list[float](), list[float]()
    for pair in range(pairs):
        say(f"from start to verdict, pair {pair + 1} of {pairs}")
        with tempfile.TemporaryDirectory() as name:  # the cold run of a pair fills the cache of the other
            for found in (cold, cached):
                found.append(_verdict_after(Path(name)))
    ratios = [a / b for a, b in zip(cold, cached, strict=True)]
    claim = (
        "The job checks its node first, compiles, trains 40 steps and evaluates. Nothing is compiled where a cache is."
    )
    rows = [("seconds", spread(cold, 1), spread(cached, 1), spread(ratios))]
    return f"{claim}\n\n{table(('', 'without a compilation cache', 'with one', 'ratio'), rows)}"


def _verdict_after(cache: Path) -> float:
    began = time.monotonic()
    with _job(cache, 1, {"compilation_cache": str(cache / "cache")}) as [process]:
        if _ended(process):
            raise Failed(f"the training job failed: {_log(cache, 0)[-300:]}")
        return time.monotonic() - began


def _kills(kills: int) -> str:
    found = list[tuple[float, float, int]]()
    for number in range(kills):
        say(f"killing a worker, {number + 1} of {kills}")
        with tempfile.TemporaryDirectory() as name:
            found.append(_kill_one(Path(name)))
    head = ("until the other worker ended, s", "from the new start to its first step, s", "steps lost")
    claim = (
        f"Two processes, a checkpoint every {_EVERY} steps, SIGKILL to the second after {_KILLED_AFTER} steps or a few "
        "more: what is lost are those since the last checkpoint."
    )
    noticed, resumed, lost = zip(*found, strict=True)
    return f"{claim}\n\n{table(head, [(spread(noticed, 1), spread(resumed, 1), spread(lost, 0))])}"


def _kill_one(folder: Path) -> tuple[float, float, int]:
    """Seconds until the other worker ended, seconds from the new start to its first step, and steps done again."""
    config = {**_ENDLESS, "checkpoint_uri": f"{folder / 'checkpoints'}", "compilation_cache": f"{folder / 'cache'}"}
    with _job(folder, 2, config) as [first, second]:
        _until(lambda: len(_steps(folder)) >= _KILLED_AFTER, first)
        began = time.monotonic()
        second.kill()
        _ended(first)
        noticed = time.monotonic() - began
    reached, began = _steps(folder)[-1], time.monotonic()
    with _job(folder, 2, config) as [first, _]:
        _until(lambda: bool(_steps(folder)), first)
        return noticed, time.monotonic() - began, reached - (_steps(folder)[0] - 1)


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit status."""
    try:
        return process.wait(_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise Failed(f"the training job did not end within {_TIMEOUT_S:g} s") from None


def _until(is_so: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not is_so():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed("the training job did not come to the step that was waited for")
        time.sleep(0.02)


def _steps(folder: Path) -> list[int]:
    """The steps that the first process has told."""
    return [int(step) for step in _STEP.findall(_log(folder, 0))]


def _log(folder: Path, index: int) -> str:
    return (folder / f"{index}.log").read_text()


@contextmanager
def _job(folder: Path, processes: int, config: dict[str, object]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The training job's processes, which log into the folder."""
    told = {"TRAIN_CONFIG": json.dumps(config), "TERMINATION_LOG": str(folder / "termination")}
    with ExitStack() as files:
        logs = [files.enter_context((folder / f"{index}.log").open("wb")) for index in range(processes)]
        command = [sys.executable, "-m", "train"]
        with job(command, processes, told, lambda index: {"stdout": logs[index], "stderr": logs[index]}) as started:
            yield started
