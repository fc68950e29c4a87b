"""A run as plain lines, for logs and where there is no terminal."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any, TextIO

from local.engine.events import (
    Diagnostic,
    Event,
    Op,
    OutputsReady,
    PropertyChange,
    Result,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)  # fmt: skip
from local.engine.urns import name_of

SYMBOLS: dict[Op, str] = {"same": " ", "create": "+", "update": "~", "replace": "±", "delete": "-", "read": ">"}
_PAST: dict[Op, str] = {
    "same": "unchanged", "create": "created", "update": "updated", "replace": "replaced", "delete": "deleted",
    "read": "read",
}  # fmt: skip
_FUTURE: dict[Op, str] = {
    "same": "unchanged", "create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete",
    "read": "to read",
}  # fmt: skip
_WIDEST_VALUE = 80


class PlainDisplay:
    """Writes a line when an operation ends, and one when it has run for a while."""

    def __init__(self, stream: TextIO, quiet_s: float = 2.0) -> None:
        """An operation that takes longer than ``quiet_s`` is told when the next event finds it still running."""
        self._stream = stream
        self._quiet_s = quiet_s
        self._running: dict[str, tuple[float, StepStarted]] = {}

    def show(self, event: Event) -> None:
        """Write what ``event`` has to say, if anything."""
        match event:
            case RunStarted():
                self._write(f"{event.command} of {event.project}/{event.stack}")
            case StepStarted():
                self._running[event.urn] = (time.monotonic(), event)
                self._tell_slow_ones()
            case StepFinished():
                self._running.pop(event.step.urn, None)
                step = event.step
                if step.op != "same" or step.error:
                    self._write(step_line(step.op, step.type, name_of(step.urn), step.duration_s, step.error))
                    for change in step.changes:
                        self._write(f"      {change_text(change)}")
            case Diagnostic():
                self._write(diagnostic_text(event))
            case OutputsReady():
                for name, value in event.outputs.items():
                    self._write(f"  {name}: {short(value)}")
            case RunFinished():
                self._write(summary(event.result))
            case _:
                pass

    def _tell_slow_ones(self) -> None:
        now = time.monotonic()
        for urn, (began, event) in list(self._running.items()):
            if now - began > self._quiet_s:
                self._write(f"  … {event.type} {name_of(urn)} ({now - began:.0f} s)")
                self._running[urn] = (now, event)

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


def step_line(op: Op, kind: str, name: str, duration_s: float, error: str) -> str:
    """One operation in one line."""
    took = f" ({duration_s:.1f} s)" if duration_s >= 0.1 else ""
    return f"  {'✗' if error else SYMBOLS[op]} {kind} {name}{took}{' failed' if error else ''}"


def change_text(change: PropertyChange) -> str:
    """One property's change in one line."""
    old, new = around_difference(_text(change.old), _text(change.new), _WIDEST_VALUE)
    return f"{change.path}: {old} → {new}"


def short(value: Any) -> str:
    """A value in at most one line's width."""
    text = _text(value)
    return text if len(text) <= _WIDEST_VALUE else text[: _WIDEST_VALUE - 1] + "…"


def around_difference(old: str, new: str, width: int) -> tuple[str, str]:
    """Both in at most ``width`` characters, from little before the first that differs: cut earlier they look equal.

    Where they are short, or differ early, they begin where they begin.
    """
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    shown_same = width // 3
    begin = 0 if max(len(old), len(new)) <= width or same <= shown_same else same - shown_same
    return _window(old, begin, width), _window(new, begin, width)


def _window(text: str, begin: int, width: int) -> str:
    cut = f"…{text[begin + 1 :]}" if begin else text
    return cut if len(cut) <= width else f"{cut[: width - 1]}…"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def diagnostic_text(diagnostic: Diagnostic) -> str:
    """A message with what and where; of what only goes on, its name is enough."""
    if diagnostic.severity == "info":
        name = diagnostic.urn.rpartition("::")[2]
        return f"  {name}: {diagnostic.message}" if name else f"  {diagnostic.message}"
    place = f" ({diagnostic.file}:{diagnostic.line})" if diagnostic.file else ""
    subject = f" {diagnostic.urn}" if diagnostic.urn else ""
    return f"{diagnostic.severity}:{subject}{place}: {diagnostic.message}"


def summary(result: Result) -> str:
    """What a run did, in one line."""
    words = _FUTURE if result.command == "preview" else _PAST
    counts = [f"{count} {words[op]}" for op in words if (count := result.changes.get(op))]
    ending = "interrupted" if result.interrupted else "failed" if result.errors else "done"
    return f"{result.command} {ending} in {result.duration_s:.1f} s: {', '.join(counts) or 'nothing there'}"
