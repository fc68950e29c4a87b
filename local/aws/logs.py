"""CloudWatch log groups."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.tagging import Tagging
from local.provider.values import Values

_TAGS = Tagging("logs", "resourceArn", shape=dict)


def _create(call: Call) -> str:
    names = {"kmsKeyId": "kmsKeyId", "logGroupClass": "logGroupClass"}
    request: dict[str, Any] = {member: call.inputs[name] for name, member in names.items() if call.inputs.get(name)}
    call.cloud.call("logs", "create_log_group", logGroupName=call.inputs["name"], tags=call.all_tags, **request)
    return call.inputs["name"]


def _settle(call: Call, changed: frozenset[str]) -> None:
    cloud, name, inputs = call.cloud, call.id, call.inputs
    if "retentionInDays" in changed:
        if inputs.get("retentionInDays"):
            days = int(inputs["retentionInDays"])
            cloud.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
        else:
            cloud.call("logs", "delete_retention_policy", logGroupName=name)
    if "kmsKeyId" in changed and (_group(cloud, name) or {}).get("kmsKeyId") != inputs.get("kmsKeyId"):
        if inputs.get("kmsKeyId"):
            cloud.call("logs", "associate_kms_key", logGroupName=name, kmsKeyId=inputs["kmsKeyId"])
        else:
            cloud.call("logs", "disassociate_kms_key", logGroupName=name)
    if "tags" in changed:
        _TAGS.settle(call, cloud.arn("logs", f"log-group:{name}"), _tags(cloud, name))


def _tags(cloud: Cloud, name: str) -> dict[str, str]:
    answer = cloud.seek("logs", "list_tags_for_resource", resourceArn=cloud.arn("logs", f"log-group:{name}"))
    return tag_map((answer or {}).get("tags"))


def _group(cloud: Cloud, name: str) -> dict[str, Any] | None:
    groups = cloud.call("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]
    return next((one for one in groups if one["logGroupName"] == name), None)


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    group = _group(cloud, id)
    if group is None:
        return None
    return {
        "arn": group["arn"].removesuffix(":*"),
        "name": id,
        "retentionInDays": group.get("retentionInDays", 0),
        "kmsKeyId": group.get("kmsKeyId", ""),
        "logGroupClass": group.get("logGroupClass") or "STANDARD",
        "tags": _tags(cloud, id),
    }


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("logs", "delete_log_group", logGroupName=id))


def _find(call: Call) -> list[str]:
    def listed(beginning: str) -> list[str]:
        answer = call.cloud.call("logs", "describe_log_groups", logGroupNamePrefix=beginning)
        return [group["logGroupName"] for group in answer["logGroups"]]

    return [one for one in call.possible_names(listed) if _tags(call.cloud, one).get(URN_TAG) == call.urn]


TYPES = (
    ResourceType(
        token="aws:cloudwatch/logGroup:LogGroup",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        settled_on_create=frozenset({"retentionInDays"}),
        replace_on=("name", "namePrefix", "logGroupClass"),
        defaults={"retentionInDays": 0, "skipDestroy": False, "logGroupClass": "STANDARD"},
        autoname=("name", 512),
    ),
)
"""CloudWatch Logs' types."""
