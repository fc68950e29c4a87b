"""What all parts of one run share: the states before and after, the journal, the failures, the way to the display."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from local.engine.events import (
    OPS,
    Command,
    Diagnostic,
    Display,
    Event,
    Op,
    PropertyChange,
    ResourceRegistered,
    Severity,
    Step,
    StepFinished,
    StepStarted,
)  # fmt: skip
from local.engine.goals import Goal
from local.engine.providers import ProviderRegistry
from local.engine.store.model import OperationType, ResourceState, Snapshot
from local.engine.urns import Naming
from local.engine.values import MASK, masked, secret_words

_SHORTEST_SECRET = 3  # shorter ones would mask ordinary words, and are none


class Log(Protocol):
    """What a run writes down so that a killed one can be taken up again: the store's journal, or nothing."""

    def begin(self, operation: OperationType, resource: ResourceState) -> int:
        """An operation is about to begin."""
        ...

    def end(self, number: int, *, put: Sequence[ResourceState] = (), remove: Sequence[ResourceState] = ()) -> None:
        """It ended, and this is what became of the state."""
        ...

    def failed(self, number: int) -> None:
        """It changed nothing."""
        ...

    def record(self, *, put: Sequence[ResourceState] = (), remove: Sequence[ResourceState] = ()) -> None:
        """The state changed without an operation."""
        ...

    def settle(self, *urns: str) -> None:
        """What an earlier run left open has been looked into."""
        ...


class NoLog:
    """A preview writes nothing down."""

    def begin(self, operation: OperationType, resource: ResourceState) -> int:
        """Nothing."""
        return 0

    def end(self, number: int, *, put: Sequence[ResourceState] = (), remove: Sequence[ResourceState] = ()) -> None:
        """Nothing."""

    def failed(self, number: int) -> None:
        """Nothing."""

    def record(self, *, put: Sequence[ResourceState] = (), remove: Sequence[ResourceState] = ()) -> None:
        """Nothing."""

    def settle(self, *urns: str) -> None:
        """Nothing."""


class Stopped(Exception):
    """The run goes no further: something failed, or the user interrupted it."""


class Run:
    """One preview, up, refresh or destroy under way. May be used from many threads."""

    def __init__(
        self, command: Command, naming: Naming, base: Snapshot, log: Log, factories: Mapping[str, Callable[[], Any]],
        display: Display, parallel: int,
    ) -> None:  # fmt: skip
        self.command: Command = command
        self.naming = naming
        self.base = base
        self.log = log
        self.parallel = parallel
        self.lock = threading.RLock()
        self.slots = threading.BoundedSemaphore(parallel)
        self.olds = base.live()
        self.superseded = [state for state in base.resources if state.delete]
        self.news: dict[str, ResourceState] = {}
        self.goals: dict[str, Goal] = {}
        self.replaced: set[str] = set()
        self.counts: Counter[str] = Counter(dict.fromkeys(OPS, 0))
        self.steps: list[Step] = []
        self.errors: list[Diagnostic] = []
        self.defects: list[Exception] = []  # of the engine itself
        self.is_stopped = False
        self.is_interrupted = False
        self.unsettled = {pending.resource.urn for pending in base.pending_operations if pending.type == "updating"}
        self._display = display
        self._secrets: set[str] = set()
        self._references = {state.reference: state for state in base.resources if state.type.startswith("pulumi:prov")}
        self.providers = ProviderRegistry(factories, lambda ref: self._references.get(ref), self._of_provider)

    @property
    def is_preview(self) -> bool:
        """Whether nothing may be changed."""
        return self.command == "preview"

    def guard(self) -> None:
        """Raise ``Stopped`` where nothing new may begin."""
        if self.is_stopped or self.is_interrupted:
            raise Stopped

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Count nothing that is done in a ``with`` block, unless the run ends there; it is shown all the same."""
        counts, number = self.counts.copy(), len(self.steps)
        yield
        if not self.is_stopped and not self.is_interrupted:
            self.counts = counts
            del self.steps[number:]

    def keep_secret(self, values: Any) -> None:
        """Take the secrets in ``values`` out of every message from now on."""
        words = {word for word in secret_words(values) if len(word) >= _SHORTEST_SECRET}
        if words:
            with self.lock:
                self._secrets |= words

    def clean(self, message: str) -> str:
        """``message`` without secrets."""
        for word in sorted(self._secrets, key=len, reverse=True):
            message = message.replace(word, MASK)
        return message

    def clean_values(self, value: Any) -> Any:
        """``value`` as it may be shown, also where a provider has lost the mark of a secret."""
        return self._scrubbed(masked(value))

    def _scrubbed(self, value: Any) -> Any:
        if not self._secrets:
            return value
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {key: self._scrubbed(item) for key, item in value.items()}
        return [self._scrubbed(item) for item in value] if isinstance(value, list) else value

    def emit(self, event: Event) -> None:
        """Show an event."""
        with self.lock:
            self._display.show(event)

    def registered(self, urn: str, kind: str, parent: str) -> None:
        """Tell that a resource takes part in the run."""
        self.emit(ResourceRegistered(urn, kind, parent))

    def tell(self, severity: Severity, message: str, urn: str = "", file: str = "", line: int = 0) -> None:
        """Show a message; an error also stops the run."""
        goal = self.goals.get(urn)
        if goal is not None and not file:
            file, line = goal.file, goal.line
        diagnostic = Diagnostic(severity, self.clean(message), urn, file, line)
        with self.lock:
            if diagnostic.is_error:
                self.errors.append(diagnostic)
                self.is_stopped = True
            self._display.show(diagnostic)

    def _of_provider(self, urn: str, severity: str, message: str) -> None:
        """Show a provider's message. It is no failure of its own: a provider fails by the answer to its call."""
        self.tell("warning" if severity in ("warning", "error") else "info", message, urn)

    def begin(self, urn: str, kind: str, op: Op) -> float:
        """Show that an operation begins; the answer goes to ``finish``."""
        self.emit(StepStarted(urn, kind, op))
        return time.monotonic()

    def finish(
        self, urn: str, kind: str, op: Op, began: float = 0.0, changes: Iterable[PropertyChange] = (), error: str = ""
    ) -> None:
        """Count an operation and show that it ended."""
        duration = time.monotonic() - began if began else 0.0
        shown = tuple(PropertyChange(c.path, self.clean_values(c.old), self.clean_values(c.new)) for c in changes)
        step = Step(urn, kind, op, shown, duration, self.clean(error))
        with self.lock:
            if not error:
                self.counts[op] += 1
            if op != "same" or error:
                self.steps.append(step)
            self._display.show(StepFinished(step))


def now() -> str:
    """The time as the checkpoint writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
