"""CloudWatch Logs' resource policies: which services may write to log groups."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud
from local.aws.resource_type import Call, ResourceType, gone_is_fine
from local.provider.values import Values


def _put(call: Call) -> str:
    """The one request that makes and changes it."""
    name, document = call.inputs["policyName"], call.inputs["policyDocument"]
    call.cloud.call("logs", "put_resource_policy", policyName=name, policyDocument=document)
    return name


def _settle(call: Call, changed: frozenset[str]) -> None:
    _put(call)


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found: list[dict[str, Any]] = cloud.call("logs", "describe_resource_policies")["resourcePolicies"]
    policy = next((one for one in found if one["policyName"] == id), None)
    return policy and {"policyName": id, "policyDocument": policy["policyDocument"]}


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("logs", "delete_resource_policy", policyName=id))


TYPES = (
    ResourceType(
        token="aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
        create=_put,
        read=_read,
        delete=_delete,
        settle=_settle,
        replace_on=("policyName", "resourceArn"),
        taggable=False,
    ),
)
"""Resource policies."""
