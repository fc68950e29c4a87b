"""The verdict: what the deployment reads back, and one sentence for whoever looks at the pod."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from train.checkpoint.store import split_uri
from train.checks.estimate import Effect, Status
from train.checks.health import Health, judge_effect
from train.config.failure import Failure
from train.config.words import counted

TERMINATION_LOG = "/dev/termination-log"  # the kubelet's default
TERMINATION_BYTES = 4096  # what the kubelet reads of it
DRAWN_WORKERS = 16  # more curves than that nobody can tell apart


def now() -> str:
    """The time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class NodeCheck:
    """One node's row. FLOP/s and bytes a second are its slowest device's, ``None`` where it has no such part or number.

    ``slower`` is by what share its work takes longer than its peers', with the interval; ``None`` where it has none.
    ``step_slower`` is the same of the training's steps, of which each counts until the gradients are added up; ``None``
    where they do not tell for sure.
    """

    node: str
    health: str
    matmul_flops: float | None
    memory_bytes_per_s: float | None
    to_device_bytes_per_s: float | None
    store_write_bytes_per_s: float | None
    slower: float | None
    slower_low: float | None
    slower_high: float | None
    step_slower: float | None = None


@dataclass(frozen=True)
class Setup:
    """How it was measured. ``software``: versions by name; ``model``: its size, batch and seed in words.

    ``checks`` is what followed from them: ``strict``, ``report`` or ``off``.
    """

    instance_type: str = ""
    backend: str = ""
    software: Mapping[str, str] = field(default_factory=dict[str, str])
    model: str = ""
    checks: str = ""


@dataclass(frozen=True)
class WorkerSeries:
    """What a worker needed of each step in ``Series.steps`` until it needed the others: seconds."""

    node: str
    own_s: tuple[float | None, ...]


@dataclass(frozen=True)
class Series:
    """The curves: a number for each of ``steps``, ``None`` where there is none; ``step_s`` are process 0's seconds.

    ``workers``: of more than ``DRAWN_WORKERS`` the slowest; none where they cannot be told apart.
    """

    steps: tuple[int, ...] = ()
    loss: tuple[float | None, ...] = ()
    step_s: tuple[float | None, ...] = ()
    workers: tuple[WorkerSeries, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether these nodes can train. Losses are nats a token on held-out text; times are seconds.

    ``first_step_s`` is from the start of the process that reports to the end of its first step, whichever that was.
    ``attention``: which implementation it was computed by; ``skipped_steps`` changed nothing.
    ``emulated``: CPUs stood in for accelerators, so that no speed says anything of them.
    What a job that ended early never measured is ``None``, never 0; so is in JSON what is not finite, and the reason
    says so. ``health`` is the checks' verdict on speed, PASS, FAIL or UNKNOWN, and empty where none were made; its
    reason names who is slow.
    """

    passed: bool
    reason: str
    job: str
    processes: int | None = None
    devices: int | None = None
    device_kind: str = ""
    emulated: bool = False
    nodes: tuple[str, ...] = ()
    loss_first: float | None = None
    loss_last: float | None = None
    steps: int = 0
    first_step_s: float | None = None
    tokens_per_s: float | None = None
    step_time_p50_s: float | None = None
    step_time_p95_s: float | None = None
    collective_time_s: float | None = None
    health: str = ""
    health_reason: str = ""
    node_checks: tuple[NodeCheck, ...] = ()
    attention: str = ""
    skipped_steps: int = 0
    resumed_from_step: int | None = None
    checkpoint: str | None = None
    started_at: str = ""
    finished_at: str = ""
    setup: Setup | None = None
    series: Series | None = None

    def to_json(self) -> str:
        """One line; floats with six digits, and ``null`` for what JSON has no number for."""
        return json.dumps(_rounded(asdict(self)))


def _rounded(value: Any) -> Any:
    """The same with floats of six digits, ``None`` for those that are not finite."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def with_health(verdict: Verdict, health: Health) -> Verdict:
    """The verdict with what the checks found."""
    rows = tuple(
        NodeCheck(
            node=row.figures.node,
            health=row.status.value,
            matmul_flops=row.figures.matmul_flops,
            memory_bytes_per_s=row.figures.memory_bytes_per_s,
            to_device_bytes_per_s=row.figures.to_device_bytes_per_s,
            store_write_bytes_per_s=row.figures.store_write_bytes_per_s,
            slower=row.slower,
            slower_low=row.slower_low,
            slower_high=row.slower_high,
        )
        for row in health.nodes
    )
    return replace(verdict, health=health.status.value, health_reason=health.reason, node_checks=rows)


def with_steps(verdict: Verdict, effects: list[Effect]) -> Verdict:
    """The verdict with what the training's own steps say of each node; one that is surely slow in them is not healthy.

    What they leave unknown changes nothing: the checks before have said what is known.
    """
    if not effects or not verdict.node_checks:
        return verdict
    rows, sentences = list[NodeCheck](), list[str]()
    for row, effect in zip(verdict.node_checks, effects, strict=True):
        slow = effect.status is Status.FAIL
        health = Status.FAIL.value if slow else row.health
        share = None if effect.status is Status.UNKNOWN else effect.share
        rows.append(replace(row, step_slower=share, health=health))
        sentences += [finding.sentence for finding in judge_effect(row.node, "its training steps", effect) if slow]
    if not sentences:
        return replace(verdict, node_checks=tuple(rows))
    told = [verdict.health_reason] if verdict.health == Status.FAIL else []
    reason = "; ".join([*told, *sentences])
    return replace(verdict, node_checks=tuple(rows), health=Status.FAIL.value, health_reason=reason)


def of_workers(nodes: Sequence[str], own_s: Sequence[Sequence[float | None]]) -> tuple[WorkerSeries, ...]:
    """The workers' curves in their order, of too many the slowest; nothing of a worker without times."""

    def mean_s(worker: WorkerSeries) -> float:
        return fmean(seconds for seconds in worker.own_s if seconds is not None)

    timed = zip(nodes, own_s, strict=True)
    found = [WorkerSeries(node, tuple(own)) for node, own in timed if any(one is not None for one in own)]
    drawn = sorted(found, key=mean_s, reverse=True)[:DRAWN_WORKERS]
    return tuple(worker for worker in found if worker in drawn)


def judge_loss(verdict: Verdict, min_drop: float) -> Verdict:
    """Pass or fail by the losses: finite, and lower by a real margin."""
    first, last = (math.nan if loss is None else loss for loss in (verdict.loss_first, verdict.loss_last))
    if not (math.isfinite(first) and math.isfinite(last)):
        return replace(verdict, passed=False, reason=f"the loss is not finite: {first} before, {last} after training")
    went = f"{first:.3f} to {last:.3f} in {counted(verdict.steps, 'step')}"
    if last >= first:
        return replace(
            verdict, passed=False, reason=f"the loss rose from {went}, and a fall by {min_drop:g} was expected"
        )
    if first - last < min_drop:
        expected = f"and by {min_drop:g} was expected (min_loss_drop), or in more steps"
        return replace(verdict, passed=False, reason=f"the loss fell from {went}, {expected}")
    return replace(verdict, passed=True, reason=f"the loss fell from {went}, processes: {verdict.processes}")


def leave_reason(reason: str, environ: Mapping[str, str]) -> None:
    """Write the termination message where there is a file for it."""
    path = Path(environ.get("TERMINATION_LOG") or TERMINATION_LOG)
    if not (path.exists() or environ.get("TERMINATION_LOG")):
        return
    try:
        path.write_bytes(reason.encode()[:TERMINATION_BYTES])
    except OSError:
        return  # a courtesy: the verdict and the log say the same


def deliver(verdict: Verdict, uri: str, environ: Mapping[str, str]) -> Verdict:
    """Store the verdict, leave the reason, and print it as the last line of stdout; returns what was stored.

    A verdict that cannot be stored is a failed one: nobody would read it. A log is no place for curves.
    """
    try:
        if uri:
            store, name = split_uri(uri)
            store.put(name, verdict.to_json().encode(), "application/json")
    except Failure as failure:
        if str(failure) not in verdict.reason:  # which it is where the address was tried before the training
            os.write(2, f"train: FAIL: the verdict is not stored: {failure}\n".encode())
            but = "but" if verdict.passed else "and"
            verdict = replace(verdict, reason=f"{verdict.reason}; {but} the verdict is not stored: {failure}")
        verdict = replace(verdict, passed=False)
    leave_reason(verdict.reason, environ)
    os.write(1, (replace(verdict, series=None).to_json() + "\n").encode())
    return verdict
