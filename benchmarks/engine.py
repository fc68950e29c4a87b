"""The tables of the engine: what it costs, what the program costs on it, and the Pulumi CLI beside it."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.against_cli import seconds_of_cli
from benchmarks.tables import NotMeasured, Section, say, spread, table
from local.paths import CHECKOUT

_PREVIEWS = (
    "Preview of many pools, and the same time ÷ that of a bare program: of the same resources written out one by one, "
    "and of as many log groups"
)


def sections(rounds: int, sizes: slice) -> list[Section]:
    """Each table's sizes are cut by ``sizes``."""
    return [
        Section(
            "engine", "The embedded engine: `up` of resources that cost nothing, state and journal on disk",
            lambda: _engine((100, 1000, 3000)[sizes], rounds),
        ),
        Section("engine", _PREVIEWS, lambda: _previews((10, 100, 1000)[sizes], rounds)),
        Section(
            "engine",
            "Embedded engine against the Pulumi CLI: `up` of log groups on the local AWS, file backend (one run each)",
            lambda: _against_cli((100, 300, 1000)[sizes]),
        ),
    ]  # fmt: skip


def once(subject: str, count: int, *file: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    say(f"{subject} {count}")
    command = [sys.executable, "-m", "benchmarks.once", subject, str(count), *file]
    done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True, timeout=900)
    return json.loads(done.stdout.splitlines()[-1])


def _engine(counts: tuple[int, ...], rounds: int) -> str:
    """What the engine itself costs: ``up`` with a provider that does nothing."""
    rows = []
    for count in counts:
        runs = [once("up", count)["seconds"] for _ in range(rounds)]
        rows.append((f"{count:,}", f"{statistics.median(runs):.1f}", spread(1000 * run / count for run in runs)))
    return table(("resources", "seconds", "ms a resource"), rows)


def _previews(counts: tuple[int, ...], rounds: int) -> str:
    """The project's program against the same resources written out plainly and against the cheapest ones, in turn."""
    rows = []
    for pools in counts:
        seconds, plain, cheapest, resources = [], [], [], 0
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "registered.json")
            resources = int(once("record", pools, file)["resources"])
            for _ in range(rounds):
                own = once("pools", pools)["seconds"]
                seconds.append(own)
                plain.append(own / once("bare", pools, file)["seconds"])
                cheapest.append(own / once("cheapest", resources)["seconds"])
        spent = statistics.median(seconds)
        per_resource = f"{1000 * spent / resources:.1f}"
        rows.append((f"{pools:,}", f"{resources:,}", f"{spent:.1f}", per_resource, spread(plain), spread(cheapest)))
    return table(
        ("pools", "resources", "seconds", "ms a resource", "÷ the same, bare", "÷ log groups"), rows
    )  # fmt: skip


def _against_cli(counts: tuple[int, ...]) -> str:
    """The same log groups by the embedded engine and by the CLI, on the same local provider and moto; one run each."""
    if not shutil.which("pulumi"):
        raise NotMeasured("the Pulumi CLI is not on PATH")
    rows = []
    for count in counts:
        say(f"cli {count}")
        cli, own = seconds_of_cli(count), once("groups", count)["seconds"]
        rows.append((f"{count:,}", f"{own:.1f}", f"{cli:.1f}", f"{own / cli:.2f}"))
    return table(("resources", "embedded, s", "CLI, s", "embedded ÷ CLI"), rows)
