"""The end of ``aidc up``: what stands, how real it is, whether it trains, what took how long, where the logs are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local import vehicle
from local.engine.events import Result
from operations import report
from operations.nodes import NodeState
from operations.workplace import Workplace

_JOB = "kubernetes:batch/v1:Job"


@dataclass(frozen=True)
class SliceVerdict:
    """What the smoke test of a TPU slice said, None before it said any; ``is_new``: in this run."""

    verdict: Mapping[str, Any] | None
    is_new: bool


@dataclass(frozen=True)
class Summary:
    """One finished ``up``.

    Attributes:
        changes: steps by operation.
        fidelity: resources by how real they are on this machine.
        nodes: as the API server has them.
        vehicle: what they are, and why.
        verdict: of the smoke test; None where it is not known.
        is_tested: whether the verdict is of this run; where nothing that the test tests has changed, it is older.
        slices: of the smoke test on each TPU slice, where the stack has one.
        phases: seconds by phase.
    """

    stack: str
    changes: Mapping[str, int]
    changes_text: str
    fidelity: Mapping[str, int]
    nodes: tuple[NodeState, ...]
    vehicle: str
    verdict: Mapping[str, Any] | None
    is_tested: bool
    phases: Mapping[str, float]
    duration_s: float
    logs: Path
    slices: tuple[SliceVerdict, ...] = ()

    @classmethod
    def of(cls, place: Workplace, result: Result, nodes: tuple[NodeState, ...]) -> Summary:
        """The summary of a run that succeeded."""
        carried = vehicle.of(place.root)
        made = {step.urn for step in result.steps if step.type == _JOB and step.op in ("create", "replace")}
        jobs = {urn.rpartition("::")[2] for urn in made}
        slices = enumerate(slice_verdicts_of(result.outputs))
        return cls(
            stack=place.stack,
            changes=dict(result.changes),
            changes_text=report.changes_text(result),
            fidelity=report.fidelity_counts(result.types, carried.is_machines),
            nodes=nodes,
            vehicle=carried.sentence(),
            verdict=verdict_of(result.outputs),
            is_tested="smoke-test-job" in jobs,
            phases=dict(result.phases),
            duration_s=result.duration_s,
            logs=place.root.path,
            slices=tuple(SliceVerdict(verdict, f"tpu-smoke-test-job-{index}" in jobs) for index, verdict in slices),
        )

    @property
    def passed(self) -> bool:
        """Whether all nodes are ready, no checks say no, and the training jobs, of TPU slices too, passed.

        An unknown verdict is not passed. Nodes that are still being checked keep nobody waiting but their pods, as long
        as that takes no longer than a check may.
        """
        verdicts = [self.verdict, *(one.verdict for one in self.slices)]
        well = all(node.ready and not node.failed_checks for node in self.nodes)
        return well and all(is_passed(one) for one in verdicts)

    def as_data(self) -> dict[str, Any]:
        """As plain values."""
        nodes = [asdict(node) for node in self.nodes]
        return {**asdict(self), "nodes": nodes, "logs": str(self.logs), "passed": self.passed}

    def as_text(self) -> str:
        """As one screen."""
        phases = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in self.phases.items())
        ready = sum(node.ready for node in self.nodes)
        lines = [
            f"stack      {self.stack}: {self.changes_text}",
            "resources  " + " · ".join(f"{number} {name}" for name, number in self.fidelity.items()),
            f"nodes      {ready} of {len(self.nodes)} Ready; {self.vehicle}",
            *(f"           {node.line()}" for node in self.nodes),
            *verdict_lines(self.verdict, is_new=self.is_tested),
            *slice_lines(self.slices),
            f"time       {self.duration_s:.1f} s" + (f" ({phases})" if phases else ""),
            f"logs       {self.logs}",
        ]
        return "\n".join(lines)


def is_passed(verdict: Mapping[str, Any] | None) -> bool:
    """Whether a verdict says so; one that nobody knows does not."""
    return verdict is not None and verdict.get("passed") is True


def verdict_of(outputs: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The smoke test's verdict among the stack's outputs, if there is one."""
    test = (outputs.get("datacenter") or {}).get("smoke_test") or {}
    return test.get("verdict")


def slice_verdicts_of(outputs: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, ...]:
    """The verdict of each TPU slice among the stack's outputs; None: its job has not said any yet."""
    tpu = (outputs.get("datacenter") or {}).get("tpu") or {}
    return tuple(test.get("verdict") for test in tpu.get("smoke_tests") or ())


def slice_lines(slices: Iterable[SliceVerdict]) -> list[str]:
    """The verdicts of TPU slices, as :func:`verdict_lines` has them."""
    return [
        line
        for index, one in enumerate(slices)
        for line in verdict_lines(one.verdict, is_new=one.is_new, what=f"slice {index}")
    ]


def verdict_lines(verdict: Mapping[str, Any] | None, *, is_new: bool = True, what: str = "smoke test") -> list[str]:
    """The verdict: passed or not, when if not just now, the numbers that it rests on, and one row a node."""
    what = f"{what:<10}"
    if verdict is None:
        return [f"{what} no verdict yet"]
    when = "" if is_new else f" at {verdict.get('finished_at') or 'a time unknown'}"
    if not verdict.get("passed"):
        failed = f"{what} FAIL{when}: {verdict.get('reason') or 'no reason given'}"
        return [failed, *health_lines(verdict)]
    first, last = ("–" if one is None else f"{one:.3f}" for one in (verdict["loss_first"], verdict["loss_last"]))
    resumed = verdict.get("resumed_from_step")
    since = "" if resumed is None else f", resumed from step {resumed}"  # only those after it are proved
    return [
        f"{what} PASS{when}: loss {first} → {last} in {verdict['steps']} steps{since}",
        f"           {', '.join(_pace(verdict))}",
        *([_emulated(verdict["devices"])] if verdict.get("emulated") else []),
        *health_lines(verdict),
    ]


def _pace(verdict: Mapping[str, Any]) -> list[str]:
    """How fast it was, and where; nothing of what was not measured, or not told by the job of that time."""
    speed, first_s, processes = (verdict.get(name) for name in ("tokens_per_s", "first_step_s", "processes"))
    return [
        *([] if speed is None else [f"{speed:,.0f} tokens/s"]),
        *([f"first step after {first_s:.1f} s"] if first_s else []),
        f"{_counted(processes, 'process', 'es') + ' on ' if processes else ''}{', '.join(verdict['nodes'])}",
    ]


def health_lines(verdict: Mapping[str, Any]) -> list[str]:
    """One row a node with what was measured on it, and who is slow; nothing of a verdict without checks."""
    rows = verdict.get("node_checks") or ()
    if not rows:
        return []
    width = max(len(row["node"]) for row in rows)
    reason = verdict.get("health_reason")
    # A job that failed for this reason has said it already.
    because = [] if not reason or reason in (verdict.get("reason") or "") else [f"           {reason}"]
    return [
        f"health     {verdict.get('health')}",
        *(f"           {row['node']:<{width}}  {row['health']:<7}  {_measured(row)}" for row in rows),
        *because,
    ]


def _measured(row: Mapping[str, Any]) -> str:
    parts = list[str]()
    if row["matmul_flops"] is not None:
        parts.append(f"{row['matmul_flops'] / 1e12:,.2f} TFLOP/s")
    if row["memory_bytes_per_s"] is not None:
        parts.append(f"memory {row['memory_bytes_per_s'] / 1e9:,.1f} GB/s")
    if row.get("store_write_bytes_per_s") is not None:
        parts.append(f"store {row['store_write_bytes_per_s'] / 1e6:,.0f} MB/s")
    if not any(row.get(name) is None for name in ("slower", "slower_low", "slower_high")):
        interval = f"{100 * row['slower_low']:+.1f} to {100 * row['slower_high']:+.1f}"
        parts.append(f"slower than peers by {100 * row['slower']:+.1f} % ({interval})")
    if row.get("step_slower") is not None:
        parts.append(f"in training by {100 * row['step_slower']:+.1f} %")
    return ", ".join(parts)


def _emulated(devices: int | None) -> str:
    what = "accelerators" if devices is None else _counted(devices, "accelerator")
    return f"           CPUs stood in for {what}: no speed here says anything of them"


def _counted(number: int, what: str, many: str = "s") -> str:
    return f"{number} {what}{many if number != 1 else ''}"
