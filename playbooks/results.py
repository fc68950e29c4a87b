"""What a run did, host by host: typed, and readable as a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_JOURNAL = re.compile(r"^Journal of \S+:$", re.MULTILINE)
"""The line by which the role ``systemd_unit`` sets a unit's journal apart."""


class ConvergeError(Exception):
    """A run could not be made at all; the message says what, why and what to do."""


class Status(StrEnum):
    """How a host stands after a run."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a host was not configured: the task that failed, what it said, and the journal of the unit concerned."""

    task: str
    message: str
    journal: str = ""


@dataclass(frozen=True, kw_only=True)
class HostResult:
    """What a run did on one host.

    Attributes:
        tasks: how many tasks ran.
        changes: the names of the tasks that changed something (in check mode: would change).
    """

    name: str
    status: Status
    tasks: int
    changes: tuple[str, ...] = ()
    failure: Failure | None = None

    def __str__(self) -> str:
        if self.failure is None:
            return f"{self.name}: {self.status}"
        text = f"{self.name}: {self.status}: {self.failure.task}: {self.failure.message}"
        return f"{text}\n{self.failure.journal}" if self.failure.journal else text


@dataclass(frozen=True, kw_only=True)
class Convergence:
    """What a run did. ``check``: nothing was changed, only looked at; ``seconds``: from start to end."""

    hosts: tuple[HostResult, ...]
    seconds: float
    check: bool = False

    @property
    def failures(self) -> tuple[HostResult, ...]:
        """The hosts that were not configured."""
        return tuple(host for host in self.hosts if host.failure is not None)

    @property
    def succeeded(self) -> bool:
        """Whether every host is configured."""
        return not self.failures

    @property
    def changed(self) -> bool:
        """Whether anything was changed (in check mode: would be)."""
        return any(host.changes for host in self.hosts)

    @property
    def seconds_per_task(self) -> float:
        """Seconds for one task on one host; 0 where nothing ran."""
        tasks = sum(host.tasks for host in self.hosts)
        return self.seconds / tasks if tasks else 0.0


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One host's line while a run lasts; ``ended`` is set once, with its last line."""

    host: str
    tasks: int
    changes: int
    doing: str
    ended: bool = False

    def __str__(self) -> str:
        return f"{self.host}  {self.tasks} tasks, {self.changes} changed  {self.doing}"


@dataclass
class Record:
    """Gathers the events of a run by host."""

    names: tuple[str, ...]
    tasks: dict[str, int] = field(default_factory=dict[str, int])
    changes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    faults: dict[str, tuple[str, str, str]] = field(default_factory=dict[str, tuple[str, str, str]])
    ended: bool = False

    def take(self, event: Mapping[str, Any]) -> Progress | None:
        """Note one event; the host's new line where there is one."""
        kind, host, task = event["event"], event.get("host", ""), event.get("task", "")
        if kind == "stats":
            self.ended = True
            self._keep_failures(event)
        if host not in self.names:
            return None
        if kind == "started":
            return self._line(host, task)
        self.tasks[host] = self.tasks.get(host, 0) + (kind != "skipped")
        if kind == "ok" and event.get("changed"):
            self.changes.setdefault(host, []).append(task)
        if kind in ("failed", "unreachable"):
            self._fault(host, kind, task, event.get("message", ""))
        return self._line(host, f"{kind}: {task}" if kind in ("failed", "unreachable") else task)

    def result(self, name: str) -> HostResult:
        """What the run did on one host."""
        changes, tasks = tuple(self.changes.get(name, ())), self.tasks.get(name, 0)
        if name not in self.faults and tasks:
            status = Status.CHANGED if changes else Status.OK
            return HostResult(name=name, status=status, tasks=tasks, changes=changes)
        nothing = (
            "failed",
            "no task",
            "no play concerns it, or all hosts of an earlier play had failed and ended the run",
        )
        kind, task, message = self.faults.get(name, nothing)
        said, _, journal = _split_journal(message)
        failure = Failure(task=task, message=said, journal=journal)
        return HostResult(name=name, status=Status(kind), tasks=tasks, changes=changes, failure=failure)

    def _fault(self, host: str, kind: str, task: str, message: str) -> None:
        """Keep the task that failed, and not the one that told its journal afterwards."""
        earlier = self.faults.get(host)
        if earlier and _JOURNAL.search(message):
            task = earlier[1]
        self.faults[host] = (kind, task, message)

    def _keep_failures(self, stats: Mapping[str, Any]) -> None:
        """Forget faults that a rescue made good: only Ansible knows which did."""
        failed = {*stats.get("failures", {}), *stats.get("dark", {})}
        self.faults = {host: fault for host, fault in self.faults.items() if host in failed}

    def _line(self, host: str, doing: str) -> Progress:
        return Progress(host=host, tasks=self.tasks.get(host, 0), changes=len(self.changes.get(host, ())), doing=doing)


def _split_journal(message: str) -> tuple[str, str, str]:
    found = _JOURNAL.search(message)
    if found is None:
        return message.strip(), "", ""
    return message[: found.start()].strip(), found.group(), message[found.start() :].strip()
