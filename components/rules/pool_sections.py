"""What the sections of a node pool may say beside the rest of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from components.settings.pool_sections import LONGEST_BLOCK_DAYS
from components.settings.pools import PoolConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _calendar_without_block(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.calendar and pool.capacity != "capacity_block":
        message = f"only a capacity block begins and ends, and this pool is {pool.capacity}"
        yield Conflict(key=("pools", name, "calendar"), message=message)


def _order_of_a_block(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    calendar = pool.calendar
    if not calendar or not calendar.start:
        return
    key = ("pools", name, "calendar", "end")
    if calendar.end <= calendar.start:
        yield Conflict(key=key, message=f"the block would end before it begins, at {_said(calendar.start)}")
    elif calendar.drain <= calendar.start:
        message = f"the nodes would go at {_said(calendar.drain)}, before they start: the block is too short"
        yield Conflict(key=key, message=message)
    elif calendar.end - calendar.start > timedelta(days=LONGEST_BLOCK_DAYS):
        days = (calendar.end - calendar.start).days
        message = f"the block would last {days} days, and EC2 sells at most {LONGEST_BLOCK_DAYS}"
        yield Conflict(key=key, message=message)


def _nodes_of_a_block(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    """Its node group is empty before and after."""
    if not pool.calendar or pool.capacity != "capacity_block":
        return
    if pool.min_size:
        message = f"the block's end leaves no nodes, and min_size {pool.min_size} keeps some: leave it at 0"
        yield Conflict(key=("pools", name, "min_size"), message=message)
    if not pool.desired_size:
        message = "with 0 nodes the block would stay empty: say how many start with it"
        yield Conflict(key=("pools", name, "desired_size"), message=message)
    if pool.autoscaled:
        message = "an autoscaler would start nodes outside of the block too: its calendar says how many there are"
        yield Conflict(key=("pools", name, "autoscaled"), message=message)
    if not pool.zone:
        message = "a capacity block is in one zone, and nodes start in no other: name it as zone"
        yield Conflict(key=("pools", name, "calendar"), message=message)


def _test_before_a_block(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.calendar and pool.calendar.start and config.smoke_test.pool == name:
        message = (
            f"{name} has no nodes until its capacity block begins, so that the test would wait for them in vain: name "
            "another pool, and this one once the calendar has no start any more"
        )
        others = tuple(other for other, its in config.pools.items() if not (its.calendar and its.calendar.start))
        yield Conflict(key=("smoke_test", "pool"), message=message, allowed=others)


def _warm_pool(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if not pool.warm_pool:
        return
    if pool.instance.chips:
        reason = f"a {pool.instance_type} that waits stopped has no capacity to come back to, and running it costs all"
    elif pool.capacity != "on_demand" or pool.capacity_reservation_id:
        reason = "Auto Scaling keeps warm only what is on demand and outside a reservation"
    elif not pool.autoscaled:
        reason = "only an autoscaler takes machines from it: set autoscaled"
    else:
        return
    yield Conflict(key=("pools", name, "warm_pool"), message=reason)


def _said(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


RULES = (
    _calendar_without_block,
    _order_of_a_block,
    _nodes_of_a_block,
    _test_before_a_block,
    _warm_pool,
)
