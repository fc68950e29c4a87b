"""What a run of the engine looks like when it is over: as data, and as one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from local.engine.display import around_difference
from local.engine.events import Diagnostic, PropertyChange, Result, Step
from operations.exits import OperationFailed

WORDS = (("create", "to create"), ("update", "to update"), ("replace", "to replace"), ("delete", "to delete"))
SHOWN_CHANGES = 6
SHOWN_ERRORS = 5
SHOWN_REASONS = 2  # of each error, below its first line
SHOWN_WIDTH = 300
SHOWN_VALUE = 60  # of either side of a change


def as_data(result: Result) -> dict[str, Any]:
    """The run as plain values, without secrets."""
    return {
        "command": result.command,
        "changes": dict(result.changes),
        "steps": [
            {
                "urn": step.urn,
                "type": step.type,
                "op": step.op,
                "changes": [{"path": item.path, "old": item.old, "new": item.new} for item in step.changes],
                "error": step.error or None,
            }
            for step in _in_order(result.steps)
        ],
        "errors": [
            {"urn": item.urn, "message": item.message, "file": item.file, "line": item.line} for item in result.errors
        ],
        "outputs": dict(result.outputs),
        "duration_s": round(result.duration_s, 2),
        "phases": {name: round(seconds, 2) for name, seconds in result.phases.items()},
    }


def changes_text(result: Result) -> str:
    """One line: how many of which."""
    done = result.command != "preview"
    parts = [f"{result.changes[op]} {op + 'd' if done else words}" for op, words in WORDS if result.changes.get(op)]
    return f"{', '.join(parts) or 'No changes'}; {result.changes.get('same', 0)} unchanged."


def steps_text(result: Result) -> str:
    """One line a step, and under it the properties that differ."""
    return "\n".join(line for step in _in_order(result.steps) for line in _step_lines(step))


def _in_order(steps: tuple[Step, ...]) -> list[Step]:
    """By their names: they end in another order each time, and two previews of the same are to be the same text."""
    return sorted(steps, key=lambda step: step.urn)


def _step_lines(step: Step) -> list[str]:
    name = step.urn.rpartition("::")[2]
    shown = [f"      {_change(change)}" for change in step.changes[:SHOWN_CHANGES]]
    if len(step.changes) > SHOWN_CHANGES:
        shown.append(f"      and {len(step.changes) - SHOWN_CHANGES} more")
    return [f"  {step.op:<8} {step.type}  {name}", *shown]


def _change(change: PropertyChange) -> str:
    old, new = ("(none)" if value is None else str(value) for value in (change.old, change.new))
    return f"{change.path}: {' → '.join(around_difference(old, new, SHOWN_VALUE))}"


def require_success(result: Result, logs: str) -> None:
    """Raise with everything that failed, on one screen: what and the first reasons, for the run has shown the rest.

    Raises:
        OperationFailed: the run has errors, or was interrupted.
    """
    if result.succeeded:
        return
    lines = [_error_text(error) for error in result.errors[:SHOWN_ERRORS]]
    if len(result.errors) > SHOWN_ERRORS:
        lines.append(f"and {len(result.errors) - SHOWN_ERRORS} more, above.")
    how = "was interrupted" if result.interrupted and not lines else "failed"
    lines.append(f"{result.command} {how} after {result.duration_s:.0f} s ({changes_text(result)})")
    lines.append(f"What was done is in the state: run it again to go on. Logs: {logs}")
    raise OperationFailed("\n".join(lines), errors=as_data(result)["errors"])


def _error_text(error: Diagnostic) -> str:
    where = f" (declared at {error.file}:{error.line})" if error.file else ""
    name = f"{error.urn.rpartition('::')[2]}: " if error.urn else ""
    first, *reasons = error.message.splitlines() or [""]
    kept = [f"       {line.strip()}" for line in reasons if line.strip()][:SHOWN_REASONS]
    return "\n".join([f"error: {name}{first}{where}", *(_short(line) for line in kept)])


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_WIDTH else text[: SHOWN_WIDTH - 1] + "…"


def fidelity_counts(types: Mapping[str, int], machines: bool) -> dict[str, int]:
    """How many resources one machine makes real, emulates, or only checks and records.

    ``typed only``, which is counted where there are any, are those whose service has no model here: they are checked
    against the SDK's types alone. Components and provider resources are none of these: they are the program's own
    structure.

    Args:
        types: how many of each.
        machines: whether nodes are machines, on which more is real than on processes.
    """
    from local import aws, gcp, kubernetes

    counts: Counter[str] = Counter({"realised": 0, "emulated": 0, "recorded": 0})
    tables = {
        "aws:": partial(aws.fidelity, machines=machines),
        "kubernetes:": kubernetes.fidelity,
        "gcp:": gcp.fidelity,
    }
    for kind, number in types.items():
        for prefix, fidelity in tables.items():
            if kind.startswith(prefix):
                counts[fidelity(kind)] += number
    return dict(counts)
