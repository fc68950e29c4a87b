"""The smoke-test section, and the pool that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from .section import Conflict, Section

if TYPE_CHECKING:
    from .stack import StackConfig


class SmokeTestConfig(Section):
    """The training job that proves the data centre."""

    pool: str = Field(description="The pool it runs on, one process a node.")
    steps: int = Field(default=60, ge=2, le=100_000, description="Training steps.")
    seed: int = Field(default=0, ge=0, lt=2**31, description="Seed of the model and the data order.")
    timeout_s: int = Field(default=1800, ge=60, le=86_400, description="Seconds until the job has failed.")


def _pool(config: StackConfig) -> Iterator[Conflict]:
    name, pools = config.smoke_test.pool, config.pools
    if name not in pools:
        key = ("smoke_test", "pool")
        yield Conflict(key=key, message=f"there is no pool {name}", allowed=tuple(pools), value=name)
    elif pools[name].desired_size == 0:
        yield Conflict(key=("smoke_test", "pool"), message=f"pool {name} has no nodes (desired_size 0)")


RULES = (_pool,)
