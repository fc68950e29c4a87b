"""The sections of a node pool: a capacity block's calendar, repairs, machines that wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from .section import Conflict, Section, rule_of
from .values import Moment

# EC2 guide, "Capacity Blocks for ML": instances that still run are terminated from 30 minutes before the end on. EKS
# guide, "Managed node groups": pods on a node that scaling takes away have 15 minutes to go.
TERMINATED_MINUTES, EVICTED_MINUTES = 30, 15
LONGEST_BLOCK_DAYS = 182  # EC2 API reference, DescribeCapacityBlockOfferings; any number of days, by extensions


class BlockCalendar(Section):
    """When a capacity block begins and ends, as it was bought."""

    start: Moment | None = Field(
        default=None,
        description="The block's start: the nodes start then; absent: it has begun, and they start at once.",
    )
    end: Moment = Field(description="The block's end.")
    drain_minutes: int = Field(
        default=60,
        ge=TERMINATED_MINUTES + EVICTED_MINUTES,
        le=1440,
        description="Minutes before the end at which pods are evicted and the nodes go. EC2 terminates what still runs "
        "30 minutes before the end, and eviction takes up to 15.",
    )

    @property
    def drain(self) -> datetime:
        """When the nodes go."""
        return self.end - timedelta(minutes=self.drain_minutes)


class NodeRepairConfig(Section):
    """EKS replaces or reboots nodes that stay unhealthy."""

    max_parallel_nodes: int = Field(default=1, ge=1, le=5000, description="Nodes repaired at once.")
    max_unhealthy_percent: int = Field(
        default=20,
        ge=1,
        le=100,
        description="With more of the nodes unhealthy nothing is repaired: then it is not the nodes.",
    )


class WarmPoolConfig(Section):
    """Machines that have started once and wait, so that an autoscaler has them in less time."""

    min_size: int = Field(ge=1, le=5000, description="Machines that wait.")
    state: Literal["stopped", "running"] = Field(
        default="stopped", description="Stopped ones cost their disks only; running ones all, and join sooner."
    )


@rule_of(BlockCalendar)
def _order_of_a_block(calendar: BlockCalendar) -> Iterator[Conflict]:
    if not calendar.start:
        return
    key = ("end",)
    if calendar.end <= calendar.start:
        yield Conflict(key=key, message=f"the block would end before it begins, at {_said(calendar.start)}")
    elif calendar.drain <= calendar.start:
        message = f"the nodes would go at {_said(calendar.drain)}, before they start: the block is too short"
        yield Conflict(key=key, message=message)
    elif calendar.end - calendar.start > timedelta(days=LONGEST_BLOCK_DAYS):
        days = (calendar.end - calendar.start).days
        message = f"the block would last {days} days, and EC2 sells at most {LONGEST_BLOCK_DAYS}"
        yield Conflict(key=key, message=message)


def _said(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
