"""What a smoke test says, and each node of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator

from .base import Output

# Verdicts come from files too, that anybody may have written: what is beyond these is no measurement.
Step = Annotated[int, Field(ge=0, le=2**53)]  # a float's whole numbers
Seconds = Annotated[float, Field(ge=-1e9, le=1e9)]  # 31 years; clocks may be set back

ONCE_ZERO = (  # of a failed job's verdict: what nobody can have measured as 0
    "processes", "devices", "loss_first", "loss_last", "first_step_s", "tokens_per_s", "step_time_p50_s",
    "step_time_p95_s", "collective_time_s",
)  # fmt: skip


class NodeCheck(Output):
    """One node before and in training; FLOP/s and bytes a second are those of its slowest device.

    ``slower`` is by what share its work takes longer than its peers', with the interval, and ``step_slower`` the same
    of the training's steps; ``None`` where it has no peers or was not measured.
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
    step_slower: float | None


class Setup(Output):
    """How the smoke test measured: versions of the software by name, the model in words, what followed from checks."""

    instance_type: str
    backend: str
    software: dict[str, str]
    model: str
    checks: str


class WorkerSeries(Output):
    """What a worker needed of each step until it needed the others, in seconds; ``None`` where nobody knows."""

    node: str
    own_s: tuple[Seconds | None, ...]


class Series(Output):
    """The training's curves: a number for each of ``steps``; ``step_s`` are seconds, ``None`` is no finite number."""

    steps: tuple[Step, ...]
    loss: tuple[float | None, ...]
    step_s: tuple[Seconds | None, ...]
    workers: tuple[WorkerSeries, ...] = ()

    @model_validator(mode="after")
    def _as_many_of_each(self) -> Series:
        numbers = [self.loss, self.step_s, *(worker.own_s for worker in self.workers)]
        if any(len(one) != len(self.steps) for one in numbers):
            raise ValueError("every curve must have a number for each of its steps")
        return self


class Verdict(Output):
    """What the smoke test says of the data centre; the schema of ``workloads/train/report.py``.

    Times are seconds, ``loss_*`` nats a byte, ``started_at`` and ``finished_at`` ISO 8601 in UTC; ``first_step_s`` is
    from the start of process 0 to the end of its first step. ``emulated``: CPUs stood in for accelerators.
    ``attention``: which implementation was chosen; ``skipped_steps`` were not finite, or far off: they changed nothing.
    ``health`` is what the checks of the nodes say: ``PASS``, ``FAIL`` or ``UNKNOWN``, and empty where none were made.
    What was never measured, or is not finite, is ``None``. Failed jobs once wrote 0 for it, which is read as ``None``.
    """

    passed: bool
    reason: str
    job: str
    processes: int | None
    devices: int | None
    device_kind: str
    emulated: bool = False
    nodes: tuple[str, ...]
    loss_first: float | None
    loss_last: float | None
    steps: Step
    first_step_s: Seconds | None
    tokens_per_s: float | None
    step_time_p50_s: Seconds | None
    step_time_p95_s: Seconds | None
    collective_time_s: Seconds | None
    health: str = ""  # a state that was written before the job made checks has none
    health_reason: str = ""
    node_checks: tuple[NodeCheck, ...] = ()
    attention: str = ""
    skipped_steps: Step = 0
    resumed_from_step: Step | None
    checkpoint: str | None
    started_at: str
    finished_at: str
    setup: Setup | None = None
    # The curves stay in the bucket: a state is no place for them.
    series: Series | None = Field(default=None, exclude=True)

    @field_validator(*ONCE_ZERO)
    @classmethod
    def _never_measured(cls, value: float | None, info: ValidationInfo) -> float | None:
        return None if value == 0 and info.data.get("passed") is False else value
