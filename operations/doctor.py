"""``aidc doctor``: one table of what this machine has, what it lacks, and how to get that."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from local import moto, vehicle
from local.paths import LocalCloudError, binary, cache_root
from operations.workplace import Output, Workplace
from setup.golang import MACHINE_NAMES, NAMES
from setup.host import MACHINES, NODES, PROCESSES, Host, check_choice
from setup.machine import GIB, RUN_DISK_GIB, RUN_MEMORY_GIB, Machine


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``remedy`` is empty where nothing is to be done; ``needed`` things must be there."""

    what: str
    found: str
    ok: bool
    remedy: str = ""
    needed: bool = True


def doctor(place: Workplace) -> bool:
    """Show the table; False when something that is needed is missing."""
    findings = list(examine(place))
    if place.output is Output.JSON:
        place.give([asdict(finding) for finding in findings], "")
    else:
        Console(highlight=False).print(_table(findings))
    return all(finding.ok for finding in findings if finding.needed)


def examine(place: Workplace) -> Iterator[Finding]:
    """Look at everything, at once, so that all faults are seen in one go."""
    yield Finding("Python", f"{platform.python_version()} in {sys.prefix}", sys.version_info >= (3, 11), "install 3.11")
    yield _package("pulumi")
    yield from map(_program, NAMES)
    yield from _machine()
    yield from _nodes(place)
    yield _optional("pulumi", "the Pulumi CLI: only for `aidc up --engine cli` and for AWS")
    server = moto.running(place.root)
    yield Finding("local AWS", server.endpoint_url if server else "not running", ok=True)


def _package(name: str) -> Finding:
    try:
        return Finding(f"package {name}", importlib.metadata.version(name), ok=True)
    except importlib.metadata.PackageNotFoundError:
        return Finding(f"package {name}", "missing", ok=False, remedy="make setup")


def _program(name: str) -> Finding:
    try:
        return Finding(name, str(binary(name)), ok=True)
    except LocalCloudError:
        return Finding(name, "not built", ok=False, remedy="make setup")


def _machine() -> Iterator[Finding]:
    here = Machine.here(cache_root())
    memory, disk = here.memory_bytes / GIB, here.disk_bytes / GIB
    yield Finding("memory", f"{memory:.1f} GiB available", memory >= RUN_MEMORY_GIB, f"free {RUN_MEMORY_GIB} GiB")
    yield Finding("disk", f"{disk:.1f} GiB free", disk >= RUN_DISK_GIB, f"free {RUN_DISK_GIB} GiB")


def _nodes(place: Workplace) -> Iterator[Finding]:
    """What nodes are, or would be; and what they would need to be machines."""
    here, chosen = Host.here(), vehicle.recorded(place.root)
    if (wrong := check_choice(here.wanted)) is not None:
        yield Finding("nodes", wrong, ok=False, remedy=f"unset {NODES}, or set it to one of them")
        return
    if chosen is not None:
        is_asked = here.wanted in ("", chosen.kind)
        other = "" if is_asked else f", and {NODES} asks for {here.wanted}"
        yield Finding("nodes", f"{chosen.sentence()}{other}", is_asked, f"unset {NODES}, or run `make down`")
        return
    reason = vehicle.obstacle(here)
    if reason is None:
        yield Finding("nodes", "would be machines", ok=True)
        yield from map(_program, MACHINE_NAMES)
        return
    remedy = "as root on Debian, `make setup-machines`"
    if is_needed := here.wanted == MACHINES:
        remedy += f"; or unset {NODES}, which asks for machines"
    yield Finding("nodes", f"would be processes: {reason}", here.wanted == PROCESSES, remedy, is_needed)


def _optional(program: str, purpose: str) -> Finding:
    path = shutil.which(program)
    return Finding(program, path or "not on PATH", path is not None, "" if path else purpose, needed=False)


def _table(findings: list[Finding]) -> Table:
    table = Table("", "what", "found", "what to do", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.overflow = "fold"
    for finding in findings:
        mark = "ok" if finding.ok else ("missing" if finding.needed else "optional")
        table.add_row(mark, finding.what, finding.found, "" if finding.ok else finding.remedy)
    return table
