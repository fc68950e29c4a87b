"""SQS' queues and their policies. moto keeps messages; that EventBridge writes any, nothing on this machine causes."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.tagging import Tagging
from local.provider.values import Values

_TAGS = Tagging("sqs", "QueueUrl", "tag_queue", "untag_queue", tags="Tags", keys="TagKeys", shape=dict)
_NUMBERS = {
    "delaySeconds": "DelaySeconds",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_ATTRIBUTES = {**_NUMBERS, "sqsManagedSseEnabled": "SqsManagedSseEnabled"}


def _url(cloud: Cloud, name: str) -> str:
    """As SQS spells it: moto's has its port in it, which is another one after a restart."""
    return f"https://sqs.{cloud.region}.amazonaws.com/{ACCOUNT}/{name}"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(int(value))


def _given(call: Call, names: frozenset[str] = frozenset(_ATTRIBUTES)) -> dict[str, str]:
    found = call.of(*(name for name in _ATTRIBUTES if name in names))
    return {_ATTRIBUTES[name]: _text(value) for name, value in found.items()}


def _create(call: Call) -> str:
    name = call.inputs["name"]
    call.cloud.call("sqs", "create_queue", QueueName=name, Attributes=_given(call), tags=call.all_tags)
    return _url(call.cloud, name)


def _settle(call: Call, changed: frozenset[str]) -> None:
    if attributes := _given(call, changed):
        call.cloud.call("sqs", "set_queue_attributes", QueueUrl=call.id, Attributes=attributes)
    if "tags" in changed:
        _TAGS.settle(call, call.id, _tags(call.cloud, call.id))


def _tags(cloud: Cloud, url: str) -> dict[str, str]:
    return (cloud.seek("sqs", "list_queue_tags", QueueUrl=url) or {}).get("Tags", {})


def _attributes(cloud: Cloud, url: str) -> dict[str, str] | None:
    answer = cloud.seek("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    return None if answer is None else answer["Attributes"]


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _attributes(cloud, id)
    if found is None:
        return None
    return {
        **{name: int(found[member]) for name, member in _NUMBERS.items()},
        "sqsManagedSseEnabled": found.get("SqsManagedSseEnabled", "").lower() == "true",
        "arn": found["QueueArn"],
        "name": id.rpartition("/")[2],
        "url": id,
        "policy": found.get("Policy", ""),
        "tags": _tags(cloud, id),
    }


def _find(call: Call) -> list[str]:
    def listed(beginning: str) -> list[str]:
        urls = call.cloud.call("sqs", "list_queues", QueueNamePrefix=beginning).get("QueueUrls", [])
        return [url.rpartition("/")[2] for url in urls]

    urls = [_url(call.cloud, name) for name in call.possible_names(listed)]
    return [url for url in urls if _tags(call.cloud, url).get(URN_TAG) == call.urn]


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("sqs", "delete_queue", QueueUrl=id))


def _put_policy(call: Call) -> str:
    url = str(call.inputs["queueUrl"])
    call.cloud.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": call.inputs["policy"]})
    return url


def _settle_policy(call: Call, changed: frozenset[str]) -> None:
    _put_policy(call)


def _read_policy(cloud: Cloud, id: str, state: Values) -> Values | None:
    policy = (_attributes(cloud, id) or {}).get("Policy")
    return {"queueUrl": id, "policy": policy} if policy else None


def _find_policy(call: Call) -> list[str]:
    """It is the queue's one policy, and belongs to whoever declares it."""
    url = str(call.inputs["queueUrl"])
    return [url] if _read_policy(call.cloud, url, {}) else []


def _delete_policy(cloud: Cloud, id: str, state: Values) -> None:
    if _read_policy(cloud, id, state) is not None:
        cloud.call("sqs", "set_queue_attributes", QueueUrl=id, Attributes={"Policy": ""})


TYPES = (
    ResourceType(
        token="aws:sqs/queue:Queue",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        replace_on=("name", "namePrefix", "fifoQueue"),
        autoname=("name", 80),
    ),
    ResourceType(
        token="aws:sqs/queuePolicy:QueuePolicy",
        create=_put_policy,
        read=_read_policy,
        delete=_delete_policy,
        find=_find_policy,
        settle=_settle_policy,
        replace_on=("queueUrl",),
        taggable=False,
    ),
)
"""Queues, and who may write into them."""
