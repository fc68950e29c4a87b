"""SNS' topics, their policies and subscriptions. moto delivers to queues and over HTTP, not by e-mail."""

from __future__ import annotations

import json
from typing import Any

from local.aws.cloud import Cloud, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType
from local.aws.tagging import Tagging
from local.provider.values import Values

_TAGS = Tagging("sns", "ResourceArn", tags="Tags", keys="TagKeys")
_ATTRIBUTES = {"kmsMasterKeyId": "KmsMasterKeyId", "displayName": "DisplayName"}


def _attributes(cloud: Cloud, arn: str) -> dict[str, Any] | None:
    answer = cloud.seek("sns", "get_topic_attributes", TopicArn=arn)
    return None if answer is None else answer["Attributes"]


def _set(cloud: Cloud, arn: str, name: str, value: str) -> None:
    cloud.call("sns", "set_topic_attributes", TopicArn=arn, AttributeName=name, AttributeValue=value)


def _tags(cloud: Cloud, arn: str) -> dict[str, str]:
    return tag_map((cloud.seek("sns", "list_tags_for_resource", ResourceArn=arn) or {}).get("Tags"))


def _create_topic(call: Call) -> str:
    given = {_ATTRIBUTES[name]: value for name, value in call.of(*_ATTRIBUTES).items()}
    tags = [{"Key": key, "Value": value} for key, value in call.all_tags.items()]
    answer = call.cloud.call("sns", "create_topic", Name=call.inputs["name"], Attributes=given, Tags=tags)
    return answer["TopicArn"]


def _settle_topic(call: Call, changed: frozenset[str]) -> None:
    for name in changed & _ATTRIBUTES.keys():
        _set(call.cloud, call.id, _ATTRIBUTES[name], str(call.inputs.get(name) or ""))
    if "tags" in changed:
        _TAGS.settle(call, call.id, _tags(call.cloud, call.id))


def _read_topic(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _attributes(cloud, id)
    if found is None:
        return None
    return {
        "arn": id,
        "name": id.rpartition(":")[2],
        "owner": found["Owner"],
        "policy": found["Policy"],
        "displayName": found.get("DisplayName", ""),
        "kmsMasterKeyId": found.get("KmsMasterKeyId", ""),
        "tags": _tags(cloud, id),
    }


def _find_topic(call: Call) -> list[str]:
    def listed(beginning: str) -> list[str]:
        topics = call.cloud.call("sns", "list_topics")["Topics"]
        return [topic["TopicArn"].rpartition(":")[2] for topic in topics]

    arns = [call.cloud.arn("sns", name) for name in call.possible_names(listed)]
    return [arn for arn in arns if _tags(call.cloud, arn).get(URN_TAG) == call.urn]


def _delete_topic(cloud: Cloud, id: str, state: Values) -> None:
    """Also fine where it is gone: so SNS has it (API reference, DeleteTopic)."""
    if _attributes(cloud, id) is not None:
        cloud.call("sns", "delete_topic", TopicArn=id)


def _create_policy(call: Call) -> str:
    _set(call.cloud, call.inputs["arn"], "Policy", call.inputs["policy"])
    return call.inputs["arn"]


def _settle_policy(call: Call, changed: frozenset[str]) -> None:
    _create_policy(call)


def _read_policy(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _attributes(cloud, id)
    if found is None or _is_default(found["Policy"]):
        return None
    return {"arn": id, "owner": found["Owner"], "policy": found["Policy"]}


def _delete_policy(cloud: Cloud, id: str, state: Values) -> None:
    """A topic is never without one: its owner's is what it had at first, and what the provider puts back."""
    found = _attributes(cloud, id)
    if found is not None and not _is_default(found["Policy"]):
        _set(cloud, id, "Policy", json.dumps(_default_policy(id, found["Owner"])))


def _default_policy(arn: str, owner: str) -> Values:
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:SetTopicAttributes", "SNS:GetTopicAttributes"],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


def _is_default(policy: str) -> bool:
    return json.loads(policy).get("Id") == "__default_policy_ID"


def _find_policy(call: Call) -> list[str]:
    """It is the topic's one policy, and belongs to whoever declares it."""
    found = _attributes(call.cloud, call.inputs["arn"])
    return [] if found is None or _is_default(found["Policy"]) else [call.inputs["arn"]]


def _subscribe(call: Call) -> str:
    request = {"TopicArn": call.inputs["topic"], "Protocol": call.inputs["protocol"]}
    answer = call.cloud.call(
        "sns", "subscribe", **request, Endpoint=call.inputs["endpoint"], ReturnSubscriptionArn=True
    )
    return answer["SubscriptionArn"]


def _subscriptions(cloud: Cloud, topic: str) -> list[dict[str, Any]]:
    answer = cloud.seek("sns", "list_subscriptions_by_topic", TopicArn=topic)
    return (answer or {}).get("Subscriptions", [])


def _read_subscription(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = next((one for one in _subscriptions(cloud, state["topic"]) if one["SubscriptionArn"] == id), None)
    if found is None:
        return None
    return {
        "arn": id,
        "topic": found["TopicArn"],
        "protocol": found["Protocol"],
        "endpoint": found["Endpoint"],
        "ownerId": found["Owner"],
        # Nobody reads that mail here: as long as a link is not followed, SNS has it pending.
        "pendingConfirmation": found["Protocol"] == "email",
    }


def _find_subscription(call: Call) -> list[str]:
    """SNS keeps one a topic, protocol and endpoint."""
    wanted = (call.inputs["protocol"], call.inputs["endpoint"])
    found = _subscriptions(call.cloud, call.inputs["topic"])
    return [one["SubscriptionArn"] for one in found if (one["Protocol"], one["Endpoint"]) == wanted]


def _unsubscribe(cloud: Cloud, id: str, state: Values) -> None:
    if _read_subscription(cloud, id, state) is not None:
        cloud.call("sns", "unsubscribe", SubscriptionArn=id)


TYPES = (
    ResourceType(
        token="aws:sns/topic:Topic",
        create=_create_topic,
        read=_read_topic,
        delete=_delete_topic,
        find=_find_topic,
        settle=_settle_topic,
        replace_on=("name", "namePrefix", "fifoTopic"),
        autoname=("name", 256),
    ),
    ResourceType(
        token="aws:sns/topicPolicy:TopicPolicy",
        create=_create_policy,
        read=_read_policy,
        delete=_delete_policy,
        find=_find_policy,
        settle=_settle_policy,
        replace_on=("arn",),
        taggable=False,
    ),
    ResourceType(
        token="aws:sns/topicSubscription:TopicSubscription",
        create=_subscribe,
        read=_read_subscription,
        delete=_unsubscribe,
        find=_find_subscription,
        replace_on=("topic", "protocol", "endpoint"),
        defaults={"endpointAutoConfirms": False, "confirmationTimeoutInMinutes": 1, "rawMessageDelivery": False},
        taggable=False,
        delete_before_replace=True,
    ),
)
"""Topics, their policies, and who hears them."""
