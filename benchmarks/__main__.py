"""``make bench``: measure, and write docs/benchmarks.md. Figures are ratios within one run wherever they can be.

``python -m benchmarks --short`` measures the two smaller sizes of each table once, and says so in what it writes.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.against_cli import seconds_of_cli
from local.paths import CHECKOUT

SHORT = "--short" in sys.argv
ROUNDS = 1 if SHORT else 3
_SIZES = slice(2 if SHORT else None)
POOLS = (10, 100, 1000)[_SIZES]
THINGS = (100, 1000, 3000)[_SIZES]
AGAINST_CLI = (100, 300, 1000)[_SIZES]


def main() -> None:
    """Measure everything, slowest last."""
    sections = [_heading(), _engine(), _previews(), _against_cli()]
    target = CHECKOUT / "docs" / "benchmarks.md"
    target.write_text("\n".join(sections))
    print(f"written: {target}")


def once(subject: str, count: int, *file: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    _say(f"{subject} {count}")
    command = [sys.executable, "-m", "benchmarks.once", subject, str(count), *file]
    done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True, timeout=900)
    return json.loads(done.stdout.splitlines()[-1])


def _heading() -> str:
    return (
        "# Benchmarks\n\n"
        f"Written by `python -m benchmarks` on {datetime.now(UTC):%Y-%m-%d}: {_processor()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {platform.system()} {platform.release().partition('-')[0]}, "
        f"load average {os.getloadavg()[0]:.1f} at the start. "
        f"Medians of {ROUNDS} run(s), each in a process of its own; a range is the smallest and the largest. "
        "Compare figures of one table, not of two machines.\n"
        + ("\nThe short form: the two smaller sizes of each table, once. `make bench` measures all.\n" if SHORT else "")
    )


def _engine() -> str:
    """What the engine itself costs: ``up`` with a provider that does nothing."""
    rows = []
    for count in THINGS:
        runs = [once("up", count)["seconds"] for _ in range(ROUNDS)]
        rows.append((f"{count:,}", f"{statistics.median(runs):.1f}", _range(1000 * run / count for run in runs)))
    return _table(
        "The embedded engine: `up` of resources that cost nothing, state and journal on disk",
        ("resources", "seconds", "ms a resource (range)"), rows,
    )  # fmt: skip


def _previews() -> str:
    """The project's program against the same resources written out plainly and against the cheapest ones, in turn."""
    rows = []
    for pools in POOLS:
        seconds, plain, cheapest, resources = [], [], [], 0
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "registered.json")
            resources = int(once("record", pools, file)["resources"])
            for _ in range(ROUNDS):
                own = once("pools", pools)["seconds"]
                seconds.append(own)
                plain.append(own / once("bare", pools, file)["seconds"])
                cheapest.append(own / once("cheapest", resources)["seconds"])
        spent = statistics.median(seconds)
        per_resource = f"{1000 * spent / resources:.1f}"
        rows.append((f"{pools:,}", f"{resources:,}", f"{spent:.1f}", per_resource, _range(plain), _range(cheapest)))
    return _table(
        "Preview of many pools, and the same time ÷ that of a bare program: of the same resources written out one by "
        "one, and of as many log groups",
        ("pools", "resources", "seconds", "ms a resource", "÷ the same, bare (range)", "÷ log groups (range)"), rows,
    )  # fmt: skip


def _against_cli() -> str:
    """The same log groups by the embedded engine and by the CLI, on the same local provider and moto."""
    title = "Embedded engine against the Pulumi CLI: `up` of log groups on the local AWS, file backend"
    if not shutil.which("pulumi"):
        return f"## {title}\n\nNot measured: the Pulumi CLI is not on PATH.\n"
    rows = []
    for count in AGAINST_CLI:
        _say(f"cli {count}")
        cli, own = seconds_of_cli(count), once("groups", count)["seconds"]
        rows.append((f"{count:,}", f"{own:.1f}", f"{cli:.1f}", f"{own / cli:.2f}"))
    return _table(title + " (one run each)", ("resources", "embedded, s", "CLI, s", "embedded ÷ CLI"), rows)


def _table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", "|" + "---:|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])


def _range(values: Iterable[float]) -> str:
    found = sorted(values)
    return f"{statistics.median(found):.2f} ({found[0]:.2f}–{found[-1]:.2f})"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
