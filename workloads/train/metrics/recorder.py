"""Where others read how a training goes: lines of JSON, TensorBoard's events, and Prometheus text."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from train.config.job import Job
from train.config.words import counted
from train.metrics.times import StepTimes, process_age_s

QUANTILES = (0.5, 0.95, 0.99)
LINES, SUPERSEDED = "metrics.jsonl", "metrics-superseded.jsonl"


class Recorder:
    """Each step's numbers as a line of JSON and as TensorBoard's events; some of the newest as Prometheus text.

    ``train.prom`` is for node_exporter's textfile collector, which needs nothing of this process. It is written every
    ``log_every`` steps; its speeds are those of all steps so far. All of it is a courtesy: a folder that cannot be
    written to is told once, and the training goes on.

    Args:
        after: the step that the training goes on after; what is there of later ones is of a run that died.
    """

    def __init__(
        self, folder: str, job: Job, flops_per_token: float, say: Callable[[str], None], after: int = 0
    ) -> None:
        self._folder, self._say, self._job = Path(folder) if folder else None, say, job
        peak = None if job.emulated_devices else job.accelerator.peak_bf16_flops
        self._mfu_per_token = flops_per_token / (peak * job.processes) if peak else 0.0
        self._lines: IO[str] | None = None
        self._events: Any = None
        if self._folder:
            self._open(self._folder, after)

    def _open(self, folder: Path, after: int) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if aside := set_aside(folder, after):
                lines = counted(aside, "line")
                self._say(f"{lines} of steps after {after} went from {LINES} to {SUPERSEDED} in {folder}")
            self._lines = (folder / LINES).open("a", buffering=1)
        except OSError as error:
            self._give_up(error)
            return
        try:
            from tensorboardX import SummaryWriter  # here: not every image has it
        except ImportError:
            self._say("tensorboardX is not installed: no TensorBoard events are written")
            return
        try:
            self._events = SummaryWriter(str(folder), purge_step=after + 1)
        except OSError as error:
            self._say(f"no TensorBoard events are written to {folder}: {error.strerror}")

    def step(self, step: int, loss: float, times: StepTimes, skipped: int) -> None:
        """Record one step; ``skipped`` counts those so far that changed nothing."""
        if self._lines is None or self._folder is None:
            return
        told = {
            "loss": loss,
            "step_seconds": times.last_s,
            "goodput_ratio": times.productive_s / process_age_s(),
            "skipped_steps": float(skipped),
        }
        values = _finite({**told, **self._speeds(times.last_tokens_per_s())})
        try:
            self._lines.write(json.dumps({"step": step, "time": time.time(), **values}) + "\n")
            if step % self._job.config.log_every == 0 or step == self._job.config.steps:
                so_far = _finite({"step": step, **told, **self._speeds(times.tokens_per_s())})
                quantiles = {quantile: times.percentile_s(100 * quantile) for quantile in QUANTILES}
                temporary = self._folder / ".train.prom"
                temporary.write_text(prometheus_text(self._job.name, so_far, quantiles))
                temporary.replace(self._folder / "train.prom")
            for name, value in values.items():
                if self._events is not None:
                    self._events.add_scalar(f"train/{name}", value, step)
        except OSError as error:
            self._give_up(error)

    def _speeds(self, tokens_per_s: float) -> dict[str, float]:
        """In tokens, and where the chip's peak is known as a share of it."""
        mfu = {"mfu_ratio": self._mfu_per_token * tokens_per_s} if self._mfu_per_token else {}
        return {"tokens_per_second": tokens_per_s, **mfu}

    def _give_up(self, error: OSError) -> None:
        self._say(f"metrics cannot be written to {self._folder}: {error.strerror}. The training goes on without")
        self.close()

    def close(self) -> None:
        """Write what is left."""
        with suppress(OSError):
            if self._events is not None:
                self._events.close()
            if self._lines is not None:
                self._lines.close()
        self._lines = self._events = None


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if math.isfinite(value)}


def prometheus_text(job: str, values: Mapping[str, float], quantiles: Mapping[float, float]) -> str:
    """The text exposition format, version 0.0.4: every value a gauge, the step times a summary's quantiles."""
    name = job.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    lines = list[str]()
    for key, value in values.items():
        lines += [f"# TYPE train_{key} gauge", f'train_{key}{{job_name="{name}"}} {value:.9g}']
    lines += ["# TYPE train_step_time_seconds summary"]
    lines += [
        f'train_step_time_seconds{{job_name="{name}",quantile="{quantile:g}"}} {seconds:.9g}'
        for quantile, seconds in quantiles.items()
    ]
    return "\n".join(lines) + "\n"


def set_aside(folder: Path, after: int) -> int:
    """Move the lines from the first beyond step ``after`` on to ``SUPERSEDED``; how many they were.

    They are on the disk there before they are cut off here, in one call of the kernel: a kill in between or a disk that
    is full loses none, and the next start begins anew. So does what is left of a line that a kill or a full disk cut.
    """
    source = folder / LINES
    if not source.exists():
        return 0
    with source.open("r+b") as lines:
        keep = 0
        for line in lines:
            if not line.endswith(b"\n") or _step_of(line) > after:
                break
            keep += len(line)
        lines.seek(keep)
        rest = lines.read()
        if rest:
            _append(folder / SUPERSEDED, rest if rest.endswith(b"\n") else rest + b"\n")
            lines.truncate(keep)
            os.fsync(lines.fileno())
    return len(rest.splitlines())


def _step_of(line: bytes) -> int:
    """Its step; 0 where it tells none: what nobody can read stays where it is."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return 0


def _append(file: Path, rest: bytes) -> None:
    """Add it whole or not at all, and once: a start that was killed after it had done so comes here again."""
    with file.open("a+b", buffering=0) as there:  # what a full disk refuses is not tried again when it is closed
        size = there.seek(0, os.SEEK_END)
        there.seek(max(0, size - len(rest)))
        if there.read() == rest:
            return
        try:
            while rest:
                rest = rest[there.write(rest) :]
            os.fsync(there.fileno())
        except OSError:
            there.truncate(size)
            raise
