"""AWS WAF: web ACLs, and what they stand before."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import from_members, input_of, to_members
from local.aws.tagging import Tagging
from local.provider.values import Values

_TAGGING = Tagging("wafv2", "ResourceARN", tags="Tags", keys="TagKeys")
_NOT_REQUESTED = ("tags", "tagsAll", "region")


def _request(call: Call, operation: str) -> dict[str, Any]:
    shape = input_of(call.cloud.account.model("wafv2"), operation)
    wanted = {key: value for key, value in call.inputs.items() if key not in _NOT_REQUESTED and key[:2] != "__"}
    request = to_members(wanted, shape, where="webAcl.")
    for rule in request.get("Rules", []):
        rule["Priority"] = int(rule["Priority"])
    return request


def _create(call: Call) -> str:
    request = _request(call, "CreateWebACL")
    return call.cloud.call("wafv2", "create_web_acl", **request, Tags=tag_list(call.all_tags))["Summary"]["Id"]


def _get(cloud: Cloud, id: str, state: Values) -> dict[str, Any] | None:
    return cloud.seek("wafv2", "get_web_acl", Name=state["name"], Scope=state.get("scope", "REGIONAL"), Id=id)


def _tags(cloud: Cloud, arn: str) -> dict[str, str]:
    answer = cloud.seek("wafv2", "list_tags_for_resource", ResourceARN=arn)
    return tag_map((answer or {}).get("TagInfoForResource", {}).get("TagList"))


def _settle(call: Call, changed: frozenset[str]) -> None:
    found = _get(call.cloud, call.id, call.inputs)
    if found is None:
        return
    if changed - {"tags"}:
        request = _request(call, "UpdateWebACL")
        call.cloud.call("wafv2", "update_web_acl", **request, Id=call.id, LockToken=found["LockToken"])
    if "tags" in changed:
        arn = found["WebACL"]["ARN"]
        _TAGGING.settle(call, arn, _tags(call.cloud, arn))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _get(cloud, id, state)
    if found is None:
        return None
    acl = found["WebACL"]
    told = from_members({key: acl[key] for key in ("DefaultAction", "VisibilityConfig", "Rules")})
    arn = acl["ARN"]
    return {**told, "arn": arn, "name": acl["Name"], "capacity": acl.get("Capacity", 0), "tags": _tags(cloud, arn)}


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    if found := _get(cloud, id, state):
        names = {"Name": state["name"], "Scope": state.get("scope", "REGIONAL")}
        gone_is_fine(lambda: cloud.call("wafv2", "delete_web_acl", **names, Id=id, LockToken=found["LockToken"]))


def _find(call: Call) -> list[str]:
    known = call.cloud.call("wafv2", "list_web_acls", Scope=call.inputs.get("scope", "REGIONAL"))["WebACLs"]
    return [one["Id"] for one in known if _tags(call.cloud, one["ARN"]).get(URN_TAG) == call.urn]


def _stand_before(call: Call) -> str:
    acl, protected = call.inputs["webAclArn"], call.inputs["resourceArn"]
    if not _is_before(call.cloud, acl, protected):
        call.cloud.call("wafv2", "associate_web_acl", WebACLArn=acl, ResourceArn=protected)
    return f"{acl},{protected}"


def _is_before(cloud: Cloud, acl: str, protected: str) -> bool:
    answer = cloud.seek("wafv2", "get_web_acl_for_resource", ResourceArn=protected)
    return ((answer or {}).get("WebACL") or {}).get("ARN") == acl


def _read_association(cloud: Cloud, id: str, state: Values) -> Values | None:
    acl, _, protected = id.partition(",")
    return {"webAclArn": acl, "resourceArn": protected} if _is_before(cloud, acl, protected) else None


def _step_aside(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("wafv2", "disassociate_web_acl", ResourceArn=id.partition(",")[2]))


TYPES = (
    ResourceType(
        token="aws:wafv2/webAcl:WebAcl",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        replace_on=("name", "namePrefix", "scope"),
        autoname=("name", 128),
    ),
    ResourceType(
        token="aws:wafv2/webAclAssociation:WebAclAssociation",
        create=_stand_before,
        read=_read_association,
        delete=_step_aside,
        replace_on=("webAclArn", "resourceArn"),
        taggable=False,
        delete_before_replace=True,
    ),
)
"""Web ACLs."""
