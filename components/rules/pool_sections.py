"""What the sections of a node pool may say beside the rest of it."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.pools import PoolConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _test_before_a_block(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.calendar and pool.calendar.start and config.smoke_test.pool == name:
        message = (
            f"{name} has no nodes until its capacity block begins, so that the test would wait for them in vain: name "
            "another pool, and this one once the calendar has no start any more"
        )
        others = tuple(other for other, its in config.pools.items() if not (its.calendar and its.calendar.start))
        yield Conflict(key=("smoke_test", "pool"), message=message, allowed=others)


RULES = (_test_before_a_block,)
