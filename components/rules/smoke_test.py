"""The pool that the smoke test needs."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _pool(config: StackConfig) -> Iterator[Conflict]:
    name, pools = config.smoke_test.pool, config.pools
    if name not in pools:
        key = ("smoke_test", "pool")
        yield Conflict(key=key, message=f"there is no pool {name}", allowed=tuple(pools), value=name)
    elif pools[name].desired_size == 0:
        yield Conflict(key=("smoke_test", "pool"), message=f"pool {name} has no nodes (desired_size 0)")


RULES = (_pool,)
