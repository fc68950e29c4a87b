"""The smoke-test section."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .section import Section


class SmokeTestConfig(Section):
    """The training job that proves the data centre."""

    pool: str = Field(description="The pool it runs on, one process a node.")
    steps: int = Field(default=60, ge=2, le=100_000, description="Training steps.")
    seed: int = Field(default=0, ge=0, lt=2**31, description="Seed of the model and the data order.")
    checks: Literal["auto", "strict", "report", "off"] = Field(
        default="auto",
        description="Checks of each node and link before training. `strict`: a node that is slow, or of which that is "
        "not known, fails the job. `report`: it is told only. `auto`: strict on pools with accelerators, else report. "
        "Wrong results fail the job with any but `off`.",
    )
    tolerated_percent: float | None = Field(
        default=None,
        ge=1,
        le=20,
        description="By how many per cent a node may be slower than the others and still be sound; 2 more are serious. "
        "Absent: 3 on accelerators, where sound chips differ by their power limits, and 1.5 on CPUs.",
    )
    timeout_s: int = Field(
        default=1800,
        ge=60,
        le=86_400,
        description="Seconds until the job has failed, from when it is made; pods wait for nodes and for the "
        "image in that time too. Its processes must find each other in half of it, or in 120 s where that is less.",
    )
