"""CloudTrail's trails. moto keeps what a trail is told and writes no file of it."""

from __future__ import annotations

from typing import Any, cast

from local.aws.cloud import Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import input_of, to_members
from local.aws.tagging import tag_changes
from local.provider.values import Values

_RENAMES = {"enableLogFileValidation": "EnableLogFileValidation", "startsWiths": "StartsWith", "endsWiths": "EndsWith"}
_REQUESTED = (
    "name", "s3BucketName", "s3KeyPrefix", "includeGlobalServiceEvents", "isMultiRegionTrail",
    "enableLogFileValidation", "kmsKeyId", "isOrganizationTrail",
)  # fmt: skip


def _request(call: Call, operation: str) -> Values:
    shape = input_of(call.cloud.account.model("cloudtrail"), operation)
    return to_members(call.of(*_REQUESTED), shape, _RENAMES)


def _create(call: Call) -> str:
    request = _request(call, "CreateTrail")
    return call.cloud.call("cloudtrail", "create_trail", **request, TagsList=tag_list(call.all_tags))["TrailARN"]


def _settle(call: Call, changed: frozenset[str]) -> None:
    cloud, name = call.cloud, call.inputs["name"]
    if call.old_inputs and changed & set(_REQUESTED):
        cloud.call("cloudtrail", "update_trail", **_request(call, "UpdateTrail"))
    if "enableLogging" in changed:
        wanted = call.inputs.get("enableLogging", True)
        cloud.call("cloudtrail", "start_logging" if wanted else "stop_logging", Name=name)
    if "advancedEventSelectors" in changed:
        _select(call)
    if "tags" in changed:
        added, removed = tag_changes(_tags(cloud, call.id), call.all_tags)
        if added:
            cloud.call("cloudtrail", "add_tags", ResourceId=call.id, TagsList=tag_list(added))
        if removed:
            gone = [{"Key": key, "Value": _tags(cloud, call.id)[key]} for key in removed]
            cloud.call("cloudtrail", "remove_tags", ResourceId=call.id, TagsList=gone)


def _select(call: Call) -> None:
    selectors = call.inputs.get("advancedEventSelectors") or []
    shape = input_of(call.cloud.account.model("cloudtrail"), "PutEventSelectors")
    request = to_members({"trailName": call.inputs["name"], "advancedEventSelectors": selectors}, shape, _RENAMES)
    call.cloud.call("cloudtrail", "put_event_selectors", **request)


def _tags(cloud: Cloud, arn: str) -> dict[str, str]:
    answer = cloud.seek("cloudtrail", "list_tags", ResourceIdList=[arn]) or {}
    listed = cast(list[dict[str, Any]], answer.get("ResourceTagList") or [{}])
    return tag_map(listed[0].get("TagsList"))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = cloud.call("cloudtrail", "describe_trails", trailNameList=[id])["trailList"]
    if not found:
        return None
    (trail,) = found
    name = trail["Name"]
    chosen = cloud.call("cloudtrail", "get_event_selectors", TrailName=name).get("AdvancedEventSelectors") or []
    return {
        "arn": id,
        "name": name,
        "homeRegion": cloud.region,
        "s3BucketName": trail["S3BucketName"],
        "includeGlobalServiceEvents": trail["IncludeGlobalServiceEvents"],
        "isMultiRegionTrail": trail["IsMultiRegionTrail"],
        "isOrganizationTrail": trail["IsOrganizationTrail"],
        "enableLogFileValidation": trail["LogFileValidationEnabled"],
        "enableLogging": cloud.call("cloudtrail", "get_trail_status", Name=name)["IsLogging"],
        "kmsKeyId": trail.get("KmsKeyId") or "",
        "advancedEventSelectors": [_selector(one) for one in chosen],
        "tags": _tags(cloud, id),
    }


def _selector(one: dict[str, Any]) -> Values:
    spelt = {"Field": "field", "Equals": "equals", "StartsWith": "startsWiths", "EndsWith": "endsWiths"}
    fields = [{spelt[key]: value for key, value in each.items() if key in spelt} for each in one["FieldSelectors"]]
    return {"name": one.get("Name", ""), "fieldSelectors": fields}


def _find(call: Call) -> list[str]:
    arn = call.cloud.arn("cloudtrail", f"trail/{call.inputs['name']}")
    return [arn] if _tags(call.cloud, arn).get(URN_TAG) == call.urn else []


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("cloudtrail", "delete_trail", Name=id.rpartition("/")[2]))


TYPES = (
    ResourceType(
        token="aws:cloudtrail/trail:Trail",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        settled_on_create=frozenset({"enableLogging", "advancedEventSelectors"}),
        replace_on=("name",),
        defaults={"enableLogging": True, "includeGlobalServiceEvents": True, "isMultiRegionTrail": False},
        autoname=("name", 128),
    ),
)
"""Trails."""
