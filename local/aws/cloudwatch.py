"""CloudWatch's alarms and dashboards. moto measures nothing itself: an alarm waits for numbers that are put."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType
from local.aws.shapes import from_members, input_of, to_members
from local.aws.tagging import Tagging
from local.provider.values import Values

_TAGS = Tagging("cloudwatch", "ResourceARN", tags="Tags", keys="TagKeys")
_RENAMES = {
    "name": "AlarmName", "alarmActions": "AlarmActions", "okActions": "OKActions",
    "insufficientDataActions": "InsufficientDataActions",
}  # fmt: skip
_NOT_REQUESTED = ("tags", "tagsAll", "region", "__autonamed")
_READ = (
    "AlarmDescription", "Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "DatapointsToAlarm",
    "Threshold", "ComparisonOperator", "TreatMissingData", "ActionsEnabled", "AlarmActions", "InsufficientDataActions",
)  # fmt: skip


def _put(call: Call, **tags: Any) -> None:
    """The whole alarm: putting it again changes it."""
    values = {name: value for name, value in call.inputs.items() if name not in _NOT_REQUESTED}
    values["dimensions"] = [{"Name": name, "Value": value} for name, value in (values.get("dimensions") or {}).items()]
    shape = input_of(call.cloud.account.model("cloudwatch"), "PutMetricAlarm")
    call.cloud.call("cloudwatch", "put_metric_alarm", **to_members(values, shape, _RENAMES, "metricAlarm."), **tags)


def _create(call: Call) -> str:
    _put(call, Tags=tag_list(call.all_tags))
    return call.inputs["name"]


def _settle(call: Call, changed: frozenset[str]) -> None:
    if changed - {"tags"}:
        _put(call)
    if "tags" in changed:
        arn = call.cloud.arn("cloudwatch", f"alarm:{call.id}")
        _TAGS.settle(call, arn, _tags(call.cloud, call.id))


def _tags(cloud: Cloud, name: str) -> dict[str, str]:
    arn = cloud.arn("cloudwatch", f"alarm:{name}")
    return tag_map((cloud.seek("cloudwatch", "list_tags_for_resource", ResourceARN=arn) or {}).get("Tags"))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = cloud.call("cloudwatch", "describe_alarms", AlarmNames=[id])["MetricAlarms"]
    if not found:
        return None
    (alarm,) = found
    return {
        **from_members({name: alarm[name] for name in _READ if alarm.get(name) is not None}),
        "arn": alarm["AlarmArn"],
        "name": id,
        "okActions": alarm.get("OKActions", []),
        "dimensions": {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])},
        "tags": _tags(cloud, id),
    }


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    if cloud.call("cloudwatch", "describe_alarms", AlarmNames=[id])["MetricAlarms"]:
        cloud.call("cloudwatch", "delete_alarms", AlarmNames=[id])


def _find(call: Call) -> list[str]:
    def listed(beginning: str) -> list[str]:
        answer = call.cloud.call("cloudwatch", "describe_alarms", AlarmNamePrefix=beginning)
        return [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]

    return [one for one in call.possible_names(listed) if _tags(call.cloud, one).get(URN_TAG) == call.urn]


def _put_dashboard(call: Call) -> str:
    body, name = call.inputs["dashboardBody"], call.inputs["dashboardName"]
    call.cloud.call("cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=body)
    return name


def _settle_dashboard(call: Call, changed: frozenset[str]) -> None:
    _put_dashboard(call)


def _read_dashboard(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = cloud.seek("cloudwatch", "get_dashboard", DashboardName=id)
    if found is None:
        return None
    return {"dashboardName": id, "dashboardBody": found["DashboardBody"], "dashboardArn": found["DashboardArn"]}


def _find_dashboard(call: Call) -> list[str]:
    """Dashboards bear no tags, and their names are the account's."""
    name = call.inputs["dashboardName"]
    return [name] if _read_dashboard(call.cloud, name, {}) else []


def _delete_dashboard(cloud: Cloud, id: str, state: Values) -> None:
    if _read_dashboard(cloud, id, state) is not None:
        cloud.call("cloudwatch", "delete_dashboards", DashboardNames=[id])


TYPES = (
    ResourceType(
        token="aws:cloudwatch/metricAlarm:MetricAlarm",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        replace_on=("name",),
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        autoname=("name", 255),
    ),
    ResourceType(
        token="aws:cloudwatch/dashboard:Dashboard",
        create=_put_dashboard,
        read=_read_dashboard,
        delete=_delete_dashboard,
        find=_find_dashboard,
        settle=_settle_dashboard,
        replace_on=("dashboardName",),
        taggable=False,
    ),
)
"""Alarms and dashboards."""
