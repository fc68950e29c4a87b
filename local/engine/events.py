"""What the engine says while it works, and the protocol of those who show it.

Nothing secret is in any event: values are masked and messages searched for secrets before an event is made.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

Command: TypeAlias = Literal["preview", "up", "refresh", "destroy"]
Op: TypeAlias = Literal["same", "create", "update", "replace", "delete", "read"]
Severity: TypeAlias = Literal["info", "warning", "error"]
OPS: tuple[Op, ...] = ("same", "create", "update", "replace", "delete", "read")


@dataclass(frozen=True)
class PropertyChange:
    """One property that differs; ``None`` where it is absent, ``[secret]`` where it is secret."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Step:
    """What is (or, in a preview, would be) done to one resource."""

    urn: str
    type: str
    op: Op
    changes: tuple[PropertyChange, ...] = ()
    duration_s: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """A message of the engine, a provider or the program; ``file`` and ``line`` say where the program caused it."""

    severity: Severity
    message: str
    urn: str = ""
    file: str = ""
    line: int = 0

    @property
    def is_error(self) -> bool:
        """Whether the run fails because of it."""
        return self.severity == "error"


@dataclass(frozen=True)
class Result:
    """What a run did, or would do.

    ``changes`` counts steps by operation; ``steps`` holds all but those that found everything as it should be;
    ``raw_outputs`` holds the stack's outputs with their secrets and is never to be printed; ``types`` counts the
    resources that exist afterwards by type.
    """

    command: Command
    changes: Mapping[str, int]
    steps: tuple[Step, ...]
    outputs: Mapping[str, Any]
    raw_outputs: Mapping[str, Any] = field(repr=False)
    errors: tuple[Diagnostic, ...]
    duration_s: float
    phases: Mapping[str, float]
    types: Mapping[str, int]
    interrupted: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether everything that was asked for is done."""
        return not self.errors and not self.interrupted

    @property
    def has_changes(self) -> bool:
        """Whether anything was, or would be, created, updated, replaced or deleted."""
        return any(self.changes.get(op) for op in ("create", "update", "replace", "delete"))


@dataclass(frozen=True)
class RunStarted:
    """A run begins on a stack whose state holds ``resources`` resources."""

    command: Command
    project: str
    stack: str
    resources: int


@dataclass(frozen=True)
class ResourceRegistered:
    """The program, or the state, names a resource; parents come before their children."""

    urn: str
    type: str
    parent: str


@dataclass(frozen=True)
class StepStarted:
    """An operation on a resource begins."""

    urn: str
    type: str
    op: Op


@dataclass(frozen=True)
class StepFinished:
    """An operation ended, well or (``step.error``) not; also told for resources that needed none."""

    step: Step


@dataclass(frozen=True)
class OutputsReady:
    """The stack's outputs are known, as far as they may be shown."""

    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class RunFinished:
    """The run is over and the state is written."""

    result: Result


Event: TypeAlias = (
    RunStarted | ResourceRegistered | StepStarted | StepFinished | Diagnostic | OutputsReady | RunFinished
)


class Display(Protocol):
    """Whoever shows a run. ``show`` is called by one thread at a time, in the order in which things happen."""

    def show(self, event: Event) -> None:
        """Take note of ``event``; quickly, because the run waits."""
        ...


class CollectingDisplay:
    """Keeps every event: for tests."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()

    def show(self, event: Event) -> None:
        """Keep ``event``."""
        with self._lock:
            self.events.append(event)

    def finished(self, op: Op | None = None) -> list[Step]:
        """The finished steps, in order; those of one operation where ``op`` is given."""
        steps = [event.step for event in self.events if isinstance(event, StepFinished)]
        return [step for step in steps if op is None or step.op == op]

    def messages(self) -> list[str]:
        """The text of every diagnostic."""
        return [event.message for event in self.events if isinstance(event, Diagnostic)]
