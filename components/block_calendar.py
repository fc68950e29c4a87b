"""A capacity block's calendar: nodes start with the block, and leave before EC2 takes the machines.

The Auto Scaling group of the node group is told in advance, so that nothing depends on when the program runs. Its
actions recur, once a year, because one that has run once is gone: the next refresh would miss it, and declaring it
again is refused ("Given start time is in the past"). A block is shorter than a year; take the calendar out after it.
Their names say when they are: of an action that is changed in place AWS is asked to keep the start time of before, and
refuses that too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi
import pulumi_aws as aws

from .settings import BlockCalendar

_AS_IT_IS = -1  # of a size that an action leaves alone


@dataclass(frozen=True)
class Action:
    """At ``at``, each year, the group is to have ``nodes``."""

    verb: str
    at: datetime
    nodes: int

    @property
    def name(self) -> str:
        """With the day and the minute, in UTC."""
        return f"{self.verb}-{self.at:%Y%m%dT%H%MZ}"

    @property
    def recurrence(self) -> str:
        """As cron has it: minute, hour, day, month, and any day of the week."""
        return f"{self.at.minute} {self.at.hour} {self.at.day} {self.at.month} *"


def actions(calendar: BlockCalendar, nodes: int) -> tuple[Action, ...]:
    """What is to happen, in order. Scaling to none evicts the pods first: EKS drains what its groups give up."""
    begins = (Action("start", calendar.start, nodes),) if calendar.start else ()
    return (*begins, Action("drain", calendar.drain, 0))


def tell(pool: str, calendar: BlockCalendar, resource: pulumi.Resource, now: datetime | None = None) -> None:
    """Say what the clock makes of it, and what to do; nothing while the nodes are still to come.

    The calendar is right all the same: a stack whose block has ended must still be previewed and destroyed.
    """
    now = now or datetime.now(UTC)
    if calendar.drain <= now:
        pulumi.log.warn(
            f"The capacity block of pool `{pool}` is over (its nodes left by {calendar.drain:%Y-%m-%d %H:%M} UTC): "
            "take the pool out, or name the next block's reservation and calendar.",
            resource,
        )
    elif calendar.start and calendar.start <= now:
        pulumi.log.info(
            f"The capacity block of pool `{pool}` has begun ({calendar.start:%Y-%m-%d %H:%M} UTC). A node group that "
            "was made before has its nodes; one that is made now stays empty: take `start` out of the calendar then.",
            resource,
        )


def create_schedules(
    name: str,
    pool: str,
    group_name: pulumi.Input[str],
    planned: tuple[Action, ...],
    child: pulumi.ResourceOptions,
) -> None:
    """Tell the Auto Scaling group ``group_name``; ``name`` begins the resources' names."""
    for action in planned:
        aws.autoscaling.Schedule(
            f"{name}-{action.verb}",
            autoscaling_group_name=group_name,
            scheduled_action_name=f"{pool}-{action.name}",
            recurrence=action.recurrence,
            time_zone="UTC",
            desired_capacity=action.nodes,
            min_size=_AS_IT_IS,
            max_size=_AS_IT_IS,
            opts=child,
        )
