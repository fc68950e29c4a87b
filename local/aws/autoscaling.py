"""Scheduled actions of Auto Scaling groups. moto keeps them by their names and performs none."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud
from local.aws.resource_type import Call, ResourceType
from local.provider.values import Values

_NUMBERS = {"desiredCapacity": "DesiredCapacity", "minSize": "MinSize", "maxSize": "MaxSize"}
_TEXTS = {"recurrence": "Recurrence", "timeZone": "TimeZone", "startTime": "StartTime", "endTime": "EndTime"}
_AS_IT_IS = -1
"""How the SDK says that an action leaves a size alone."""


def _put(call: Call) -> str:
    sizes = {member: int(call.inputs.get(name, 0)) for name, member in _NUMBERS.items()}
    request: dict[str, Any] = {member: size for member, size in sizes.items() if size != _AS_IT_IS}
    request |= {member: call.inputs[name] for name, member in _TEXTS.items() if call.inputs.get(name)}
    name = call.inputs["scheduledActionName"]
    call.cloud.call(
        "autoscaling", "put_scheduled_update_group_action", AutoScalingGroupName=call.inputs["autoscalingGroupName"],
        ScheduledActionName=name, **request,
    )  # fmt: skip
    return name


def _settle(call: Call, changed: frozenset[str]) -> None:
    if call.old_inputs:
        _put(call)


def _action(cloud: Cloud, group: str, name: str) -> dict[str, Any] | None:
    answer = cloud.call(
        "autoscaling", "describe_scheduled_actions", AutoScalingGroupName=group, ScheduledActionNames=[name]
    )
    return next(iter(answer["ScheduledUpdateGroupActions"]), None)


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    action = _action(cloud, state["autoscalingGroupName"], id)
    if action is None:
        return None
    return {
        "arn": cloud.arn("autoscaling", f"scheduledUpdateGroupAction:*:scheduledActionName/{id}"),
        "autoscalingGroupName": action["AutoScalingGroupName"],
        "scheduledActionName": id,
        **{name: action.get(member, _AS_IT_IS) for name, member in _NUMBERS.items()},
        **{name: action[member] for name, member in _TEXTS.items() if action.get(member)},
    }


def _find(call: Call) -> list[str]:
    name = call.inputs["scheduledActionName"]
    return [name] if _action(call.cloud, call.inputs["autoscalingGroupName"], name) else []


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    group = state["autoscalingGroupName"]
    if _action(cloud, group, id):  # of one that is gone the service says that the request is wrong
        cloud.call("autoscaling", "delete_scheduled_action", AutoScalingGroupName=group, ScheduledActionName=id)


TYPES = (
    ResourceType(
        token="aws:autoscaling/schedule:Schedule",
        create=_put,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        replace_on=("autoscalingGroupName", "scheduledActionName"),
        defaults={"desiredCapacity": 0, "minSize": 0, "maxSize": 0},
        taggable=False,
    ),
)
"""Auto Scaling's types."""
