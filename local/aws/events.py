"""EventBridge's rules and their targets. Nothing on this machine tells of retired hardware: rules are kept, not met."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import input_of, to_members
from local.aws.tagging import Tagging
from local.provider.values import Values

_TAGS = Tagging("events", "ResourceARN", tags="Tags", keys="TagKeys")
_RULE = ("name", "description", "eventPattern", "scheduleExpression", "roleArn", "eventBusName", "state")
_TARGET = ("targetId", "arn", "roleArn", "input", "inputPath")


def _put(call: Call, **tags: Any) -> None:
    shape = input_of(call.cloud.account.model("events"), "PutRule")
    call.cloud.call("events", "put_rule", **to_members(call.of(*_RULE), shape), **tags)


def _create(call: Call) -> str:
    _put(call, Tags=tag_list(call.all_tags))
    return call.inputs["name"]


def _settle(call: Call, changed: frozenset[str]) -> None:
    if changed - {"tags"}:
        _put(call)
    if "tags" in changed:
        _TAGS.settle(call, call.cloud.arn("events", f"rule/{call.id}"), _tags(call.cloud, call.id))


def _tags(cloud: Cloud, name: str) -> dict[str, str]:
    arn = cloud.arn("events", f"rule/{name}")
    return tag_map((cloud.seek("events", "list_tags_for_resource", ResourceARN=arn) or {}).get("Tags"))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = cloud.seek("events", "describe_rule", Name=id)
    if found is None:
        return None
    texts = {
        "eventPattern": "EventPattern", "description": "Description", "scheduleExpression": "ScheduleExpression",
        "roleArn": "RoleArn",
    }  # fmt: skip
    return {
        **{name: found.get(member) or "" for name, member in texts.items()},
        "arn": found["Arn"],
        "name": id,
        "state": found.get("State") or "ENABLED",
        "eventBusName": found.get("EventBusName") or "default",
        "tags": _tags(cloud, id),
    }


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("events", "delete_rule", Name=id))


def _find(call: Call) -> list[str]:
    def listed(beginning: str) -> list[str]:
        return [rule["Name"] for rule in call.cloud.call("events", "list_rules", NamePrefix=beginning)["Rules"]]

    return [one for one in call.possible_names(listed) if _tags(call.cloud, one).get(URN_TAG) == call.urn]


def _put_target(call: Call) -> str:
    shape = input_of(call.cloud.account.model("events"), "PutTargets")
    request = to_members({"rule": call.inputs["rule"], "targets": [_target_of(call.inputs)]}, shape)
    call.cloud.call("events", "put_targets", **request)
    return f"{call.inputs['rule']}-{call.inputs['targetId']}"


def _target_of(inputs: Values) -> Values:
    given = {name: inputs[name] for name in _TARGET if inputs.get(name)}
    return {"id": given.pop("targetId"), **given}


def _settle_target(call: Call, changed: frozenset[str]) -> None:
    _put_target(call)


def _read_target(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("events", "list_targets_by_rule", Rule=state["rule"])
    found = next((one for one in (answer or {}).get("Targets", []) if one["Id"] == state["targetId"]), None)
    if found is None:
        return None
    named = {"rule": state["rule"], "targetId": found["Id"], "arn": found["Arn"]}
    return {**named, **{name: found[name.capitalize()] for name in ("input",) if name.capitalize() in found}}


def _find_target(call: Call) -> list[str]:
    """A rule's targets are told apart by their ids alone."""
    found = _read_target(call.cloud, "", call.inputs)
    return [f"{call.inputs['rule']}-{call.inputs['targetId']}"] if found else []


def _remove_target(cloud: Cloud, id: str, state: Values) -> None:
    if _read_target(cloud, id, state) is not None:
        cloud.call("events", "remove_targets", Rule=state["rule"], Ids=[state["targetId"]])


TYPES = (
    ResourceType(
        token="aws:cloudwatch/eventRule:EventRule",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        replace_on=("name", "namePrefix", "eventBusName"),
        defaults={"eventBusName": "default", "forceDestroy": False, "state": "ENABLED"},
        autoname=("name", 64),
    ),
    ResourceType(
        token="aws:cloudwatch/eventTarget:EventTarget",
        create=_put_target,
        read=_read_target,
        delete=_remove_target,
        find=_find_target,
        settle=_settle_target,
        replace_on=("rule", "targetId", "eventBusName"),
        defaults={"eventBusName": "default", "forceDestroy": False},
        autoname=("targetId", 64),
        taggable=False,
    ),
)
"""Rules and their targets."""
