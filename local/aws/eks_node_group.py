"""EKS node groups: moto holds the record, as many nodes as the desired size are behind it.

Reads look at the nodes: what has died is drift, and the next ``up`` starts it again.
"""

from __future__ import annotations

import json

from local.aws import eks_nodes
from local.aws.cloud import Cloud, tag_map
from local.aws.eks_common import TAGS, create_request
from local.aws.resource_type import AUTONAMED, STATE_TAG, URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import input_of, to_members
from local.provider.values import Values

_RENAMES = {"subnetIds": "subnets", "nodeRoleArn": "nodeRole", "nodeGroupName": "nodegroupName"}
_OTHER = ("tags", "tagsAll", "region", "updateConfig", "nodeRepairConfig", "warmPoolConfig", "forceUpdateVersion",
          "nodeGroupNamePrefix", AUTONAMED)  # fmt: skip
_ROLLED = ("version", "releaseVersion", "launchTemplate")
_UNTOLD = ("nodeRepairConfig", "warmPoolConfig")
"""What moto 5.2.5 does not describe."""


def _create(call: Call) -> str:
    cluster, name = call.inputs["clusterName"], call.inputs["nodeGroupName"]
    request = create_request(call, "CreateNodegroup", _OTHER, _RENAMES)
    call.cloud.call("eks", "create_nodegroup", **request, tags=call.all_tags)
    return f"{cluster}:{name}"


def _describe(cloud: Cloud, id: str) -> Values | None:
    cluster, name = id.split(":", 1)
    answer = cloud.seek("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)
    return answer["nodegroup"] if answer else None


def _settle(call: Call, changed: frozenset[str]) -> None:
    cloud, inputs = call.cloud, call.inputs
    cluster, name = call.id.split(":", 1)
    request: Values = {}
    if inputs.get("warmPoolConfig"):  # moto has none: its form at least is the service's
        shape = input_of(cloud.account.model("eks"), "CreateNodegroup")
        to_members({"warmPoolConfig": inputs["warmPoolConfig"]}, shape)
    for key in ("scalingConfig", "updateConfig", "nodeRepairConfig"):
        if key in changed and inputs.get(key):
            request[key] = inputs[key]
    if "labels" in changed:
        before, after = call.old_inputs.get("labels") or {}, inputs.get("labels") or {}
        request["labels"] = {"addOrUpdateLabels": after, "removeLabels": [key for key in before if key not in after]}
    if "taints" in changed:
        before, after = call.old_inputs.get("taints") or [], inputs.get("taints") or []
        request["taints"] = {
            "addOrUpdateTaints": after,
            "removeTaints": [taint for taint in before if taint not in after],
        }
    if request:
        cloud.call("eks", "update_nodegroup_config", clusterName=cluster, nodegroupName=name, **request)
    group = cloud.call("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)["nodegroup"]
    if changed & set(_UNTOLD if not call.old_inputs else (*_ROLLED, *_UNTOLD)):
        noted = json.dumps({key: inputs[key] for key in (*_ROLLED, *_UNTOLD) if inputs.get(key)}, sort_keys=True)
        cloud.call("eks", "tag_resource", resourceArn=group["nodegroupArn"], tags={STATE_TAG: noted})
    if "tags" in changed:
        TAGS.settle(call, group["nodegroupArn"], group.get("tags") or {})
    eks_nodes.converge(cloud, cluster, name, _outputs(cloud, group))


def _outputs(cloud: Cloud, group: Values) -> Values:
    tags = dict(group.get("tags") or {})
    noted = json.loads(tags.pop(STATE_TAG, "{}"))
    template = group.get("launchTemplate") or {}
    found: Values = {
        "arn": group["nodegroupArn"],
        "clusterName": group["clusterName"],
        "nodeGroupName": group["nodegroupName"],
        "nodeRoleArn": group["nodeRole"],
        "subnetIds": group.get("subnets") or [],
        "amiType": group.get("amiType", ""),
        "capacityType": group.get("capacityType", "ON_DEMAND"),
        "diskSize": 0 if template else group.get("diskSize", 20),
        "instanceTypes": [] if template and not group.get("instanceTypes") else group.get("instanceTypes", []),
        "labels": group.get("labels") or {},
        "taints": group.get("taints") or [],
        "version": group.get("version", ""),
        "releaseVersion": group.get("releaseVersion", ""),
        "scalingConfig": dict(group.get("scalingConfig") or {}),
        "updateConfig": group.get("updateConfig") or {"maxUnavailable": 1},
        "status": group.get("status", "ACTIVE"),
        "resources": [
            {
                "autoscalingGroups": (group.get("resources") or {}).get("autoScalingGroups") or [],
                "remoteAccessSecurityGroupId": (group.get("resources") or {}).get("remoteAccessSecurityGroup", ""),
            }
        ],
        "tags": tags,
    }
    if template:
        found["launchTemplate"] = {key: str(value) for key, value in template.items()}
    return {**found, **noted}


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    group = _describe(cloud, id)
    if group is None:
        return None
    found = _outputs(cloud, group)
    alive = eks_nodes.alive(cloud, *id.split(":", 1))
    if alive < int(found["scalingConfig"].get("desiredSize", alive)):
        found["scalingConfig"]["desiredSize"] = alive
        found["status"] = "DEGRADED"
    return found


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    cluster, name = id.split(":", 1)
    eks_nodes.remove(cloud, cluster, name)
    gone_is_fine(lambda: cloud.call("eks", "delete_nodegroup", clusterName=cluster, nodegroupName=name))


def _find(call: Call) -> list[str]:
    cluster = call.inputs["clusterName"]

    def listed(beginning: str) -> list[str]:
        answer = call.cloud.seek("eks", "list_nodegroups", clusterName=cluster)
        return (answer or {}).get("nodegroups", [])

    ids = [f"{cluster}:{name}" for name in call.possible_names(listed, of="nodeGroupName")]
    described = ((id, _describe(call.cloud, id)) for id in ids)
    return [id for id, group in described if group and tag_map(group.get("tags")).get(URN_TAG) == call.urn]


TYPES = (
    ResourceType(
        token="aws:eks/nodeGroup:NodeGroup",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        settled_on_create=frozenset({"nodeGroupName", "updateConfig", *_UNTOLD}),
        replace_on=(
            "clusterName", "nodeGroupName", "nodeGroupNamePrefix", "nodeRoleArn", "subnetIds", "instanceTypes",
            "amiType", "capacityType", "diskSize", "remoteAccess", "launchTemplate.id", "launchTemplate.name",
        ),
        fidelity="realised",
        autoname=("nodeGroupName", 63),
    ),
)  # fmt: skip
"""Node groups."""
