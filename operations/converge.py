"""``aidc converge``: configure machines with the playbooks of this checkout, and say how each one stands."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.text import Text

from local import configuration
from local.paths import cache_root
from operations.exits import OperationFailed
from operations.outputs import stack_outputs
from operations.workplace import Output, Workplace, is_ci
from playbooks.inventory import Inventory
from playbooks.lock import Lock
from playbooks.results import ConvergeError, Convergence, HostResult, Progress
from playbooks.runner import converge as run

Say = Callable[[Progress | str], None]


def converge(
    place: Workplace, *, limit: tuple[str, ...] = (), check: bool = False, inventory: Path | None = None
) -> None:
    """Configure the stack's machines, or those of an inventory file.

    Raises:
        OperationFailed: there is nothing to configure, the file is wrong, or a host was not configured.
    """
    machines, lock, running = _from_file(inventory) if inventory else _of_stack(place)
    try:
        with _display(place) as say:
            done = run(machines, check=check, limit=limit or running, lock=lock, say=say)
    except ConvergeError as problem:
        raise OperationFailed(str(problem)) from None
    place.give(as_data(done), as_text(done))
    if not done.succeeded:
        failures = "\n".join(map(str, done.failures))
        raise OperationFailed(f"{len(done.failures)} of {len(done.hosts)} hosts were not configured:\n{failures}")


def _from_file(path: Path) -> tuple[Inventory, Lock, tuple[str, ...]]:
    from operations.inventory_file import load  # pydantic takes a while to import

    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    return load(path), Lock(cache_root() / f"converge-{name}.lock", f"aidc converge --inventory {path}"), ()


def _of_stack(place: Workplace) -> tuple[Inventory, Lock, tuple[str, ...]]:
    """The machines of the stack's cluster, and the names of those that run here: Prometheus watches the dead too."""
    place.require_stack_file()
    outputs = stack_outputs(place).get("datacenter")
    if not isinstance(outputs, Mapping):
        raise OperationFailed(f"The stack `{place.stack}` is not up: `aidc up` makes its machines and configures them.")
    cluster, region = outputs["cluster"]["name"], outputs["region"]
    found = [
        machine
        for machine in configuration.list_machines(place.root)
        if (machine.cluster, machine.region) == (cluster, region)
    ]
    running = tuple(machine.name for machine in found if machine.running)
    if not running:
        raise OperationFailed(
            f"No machine of the stack `{place.stack}` runs here: nodes that are processes have nothing to configure. "
            "Machines of your own are named in a file: `aidc converge --inventory FILE`."
        )
    return configuration.as_declared(place.root, found), configuration.lock(place.root, "aidc converge"), running


# -- what is shown ----------------------------------------------------------------------------------------------------


def as_data(done: Convergence) -> dict[str, Any]:
    """The run as plain values."""
    hosts = [{**asdict(host), "status": str(host.status), "changes": list(host.changes)} for host in done.hosts]
    return {"check": done.check, "changed": done.changed, "seconds": round(done.seconds, 2), "hosts": hosts}


def as_text(done: Convergence) -> str:
    """A line a host, and the tasks that changed something under it."""
    width = max((len(host.name) for host in done.hosts), default=0)
    lines = [line for host in done.hosts for line in _lines(host, width, done.check)]
    return "\n".join([*lines, f"{len(done.hosts)} hosts in {done.seconds:.1f} s"])


def _lines(host: HostResult, width: int, check: bool) -> list[str]:
    state = "would change" if check and host.status == "changed" else str(host.status)
    said = f"{host.tasks} tasks" + (f", {len(host.changes)} changed" if host.changes and not check else "")
    return [f"{host.name:<{width}}  {state:<12}  {said}", *(f"{'':<{width}}  {change}" for change in host.changes)]


@contextmanager
def _display(place: Workplace) -> Iterator[Say]:
    """A live line a host where somebody watches; elsewhere a line whenever a host comes to another role, or ends."""
    if sys.stderr.isatty() and place.output is Output.TEXT and not is_ci():
        with Live(console=place.progress(), transient=True, refresh_per_second=8) as live:
            yield _LiveLines(live).say
    else:
        yield _PlainLines(place).say


class _LiveLines:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._lines: dict[str, str] = {}

    def say(self, what: Progress | str) -> None:
        if isinstance(what, str):
            self._live.console.print(what, markup=False)
            return
        self._lines[what.host] = str(what)
        lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in self._lines.values()]
        self._live.update(Group(*lines))


class _PlainLines:
    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._roles: dict[str, str] = {}

    def say(self, what: Progress | str) -> None:
        if isinstance(what, str):
            self._place.tell(what)
            return
        role, in_role, _ = what.doing.partition(": ")
        is_next = in_role and role not in (self._roles.get(what.host), "systemd_unit")
        if what.ended or is_next:
            self._roles[what.host] = role
            self._place.tell(str(what))
