"""EKS: moto holds the cluster's and the groups' records, real processes are behind them.

A cluster is a control plane (etcd, API server, controller manager, scheduler); a node group is as many node agents as
its desired size. Reads look at the processes: what has died is drift, and the next ``up`` starts it again.
"""

from __future__ import annotations

import base64
import hashlib
import json

from local import control_plane
from local.aws import eks_nodes
from local.aws.cloud import Cloud, ServiceError, tag_list, tag_map
from local.aws.resource_type import STATE_TAG, URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import from_members, input_of, to_members
from local.aws.tagging import Tagging
from local.provider.values import Values

_STOPPED = "localControlPlane"
"""A property that only a refresh reports: which processes of the control plane are dead. It is an input too, so that
the next ``up`` sees a difference and starts them."""
_TAGS = Tagging("eks", "resourceArn", shape=dict)
_CLUSTER_OTHER = ("tags", "tagsAll", "region", "enabledClusterLogTypes", "vpcConfig", "forceUpdateVersion",
                  "defaultAddonsToRemoves", "encryptionConfig", "__autonamed", _STOPPED)  # fmt: skip


def _request(call: Call, operation: str, leave_out: tuple[str, ...], renames: dict[str, str] | None = None) -> Values:
    shape = input_of(call.cloud.account.model("eks"), operation)
    values = {key: value for key, value in call.inputs.items() if key not in leave_out}
    return to_members(values, shape, renames, f"eks.{operation}.")


def _vpc_request(config: Values) -> Values:
    names = ("subnetIds", "securityGroupIds", "endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
    return {name: config[name] for name in names if config.get(name) is not None}


def _logging(types: list[str] | None) -> Values:
    return {"clusterLogging": [{"types": sorted(types or []), "enabled": True}]} if types else {"clusterLogging": []}


def _create_cluster(call: Call) -> str:
    inputs = call.inputs
    request = _request(call, "CreateCluster", _CLUSTER_OTHER)
    request["resourcesVpcConfig"] = _vpc_request(inputs["vpcConfig"])
    if inputs.get("encryptionConfig"):
        request["encryptionConfig"] = [inputs["encryptionConfig"]]
    if inputs.get("enabledClusterLogTypes"):
        request["logging"] = _logging(inputs["enabledClusterLogTypes"])
    call.cloud.call("eks", "create_cluster", **request, tags=call.all_tags)
    return inputs["name"]


def _settle_cluster(call: Call, changed: frozenset[str]) -> None:
    cloud, name, inputs = call.cloud, call.id, call.inputs
    cluster = cloud.call("eks", "describe_cluster", name=name)["cluster"]
    request: Values = {}
    if "vpcConfig" in changed:
        request["resourcesVpcConfig"] = _vpc_request(inputs["vpcConfig"])
    if "enabledClusterLogTypes" in changed:
        request["logging"] = _logging(inputs.get("enabledClusterLogTypes"))
    for key, value in request.items():
        cloud.call("eks", "update_cluster_config", name=name, **{key: value})
    if "version" in changed and inputs.get("version") and inputs["version"] != cluster["version"]:
        cloud.call("eks", "tag_resource", resourceArn=cluster["arn"], tags={STATE_TAG: inputs["version"]})
    if "tags" in changed:
        _TAGS.settle(call, cluster["arn"], cluster.get("tags") or {})
    _security_group(cloud, name, cluster["resourcesVpcConfig"]["subnetIds"])
    control_plane.ensure(cloud.account.root, cloud.region, name)


def _vpc_of(cloud: Cloud, subnets: list[str]) -> str:
    answer = cloud.seek("ec2", "describe_subnets", SubnetIds=subnets[:1]) if subnets else None
    return answer["Subnets"][0]["VpcId"] if answer and answer["Subnets"] else ""


def _group_of(cloud: Cloud, name: str) -> str:
    filters = [{"Name": f"tag:kubernetes.io/cluster/{name}", "Values": ["owned"]}]
    groups = cloud.call("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"]
    return groups[0]["GroupId"] if groups else ""


def _security_group(cloud: Cloud, name: str, subnets: list[str]) -> None:
    """The group that EKS makes for a cluster, once."""
    if _group_of(cloud, name) or not (vpc := _vpc_of(cloud, subnets)):
        return
    tags = tag_list({f"kubernetes.io/cluster/{name}": "owned", "Name": f"eks-cluster-sg-{name}"})
    cloud.call(
        "ec2", "create_security_group", GroupName=f"eks-cluster-sg-{name}", VpcId=vpc,
        Description="EKS created security group applied to the cluster's network interfaces",
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )  # fmt: skip


def _read_cluster(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("eks", "describe_cluster", name=id)
    if answer is None:
        return None
    cluster = answer["cluster"]
    tags = dict(cluster.get("tags") or {})
    version = tags.pop(STATE_TAG, cluster["version"])
    plane = _plane(cloud, id)
    stopped = plane.missing() if plane else ["no control plane"]
    issuer = hashlib.sha256(f"{cloud.region}.{id}".encode()).hexdigest()[:32].upper()
    network = cluster.get("kubernetesNetworkConfig") or {}
    found: Values = {
        "arn": cluster["arn"],
        "name": id,
        "clusterId": "",
        "roleArn": cluster["roleArn"],
        "version": version,
        "status": "FAILED" if stopped else "ACTIVE",
        "platformVersion": cluster.get("platformVersion", ""),
        "createdAt": from_members(cluster["createdAt"]),
        "endpoint": plane.endpoint if plane else "",
        "certificateAuthority": {"data": base64.b64encode(plane.ca_pem.encode()).decode() if plane else ""},
        "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.{cloud.region}.amazonaws.com/id/{issuer}"}]}],
        "vpcConfig": _vpc_outputs(cloud, id, cluster["resourcesVpcConfig"]),
        "enabledClusterLogTypes": _log_types(cluster),
        "kubernetesNetworkConfig": {
            "ipFamily": network.get("ipFamily", "ipv4"),
            "serviceIpv4Cidr": network.get("serviceIpv4Cidr", "172.20.0.0/16"),
            "serviceIpv6Cidr": "",
            "elasticLoadBalancing": {"enabled": False},
            **(
                (state.get("kubernetesNetworkConfig") or {})
                if isinstance(state.get("kubernetesNetworkConfig"), dict)
                else {}
            ),
        },
        "tags": tags,
    }
    if cluster.get("encryptionConfig"):
        found["encryptionConfig"] = cluster["encryptionConfig"][0]
    if stopped:
        found[_STOPPED] = "stopped: " + ", ".join(stopped)
    return found


def _plane(cloud: Cloud, name: str) -> control_plane.ControlPlane | None:
    return next(
        (p for p in control_plane.clusters(cloud.account.root) if (p.region, p.name) == (cloud.region, name)), None
    )


def _vpc_outputs(cloud: Cloud, name: str, config: Values) -> Values:
    return {
        "subnetIds": config.get("subnetIds") or [],
        "securityGroupIds": config.get("securityGroupIds") or [],
        "endpointPublicAccess": config.get("endpointPublicAccess", True),
        "endpointPrivateAccess": config.get("endpointPrivateAccess", False),
        "publicAccessCidrs": config.get("publicAccessCidrs") or ["0.0.0.0/0"],
        "clusterSecurityGroupId": _group_of(cloud, name),
        "vpcId": _vpc_of(cloud, config.get("subnetIds") or []),
    }


def _log_types(cluster: Values) -> list[str]:
    setups = (cluster.get("logging") or {}).get("clusterLogging") or []
    return sorted(kind for setup in setups if setup.get("enabled") for kind in setup.get("types", []))


def _delete_cluster(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("eks", "delete_cluster", name=id))
    if (plane := _plane(cloud, id)) is not None:
        plane.remove()
    if group := _group_of(cloud, id):
        gone_is_fine(lambda: cloud.call("ec2", "delete_security_group", GroupId=group))


def _find_cluster(call: Call) -> list[str]:
    name = call.inputs["name"]
    prefix = name.rsplit("-", 1)[0] + "-" if call.inputs.get("__autonamed") else name
    names = [one for one in call.cloud.call("eks", "list_clusters")["clusters"] if one.startswith(prefix)]
    described = ((one, call.cloud.seek("eks", "describe_cluster", name=one)) for one in names)
    return [
        one for one, answer in described if answer and (answer["cluster"].get("tags") or {}).get(URN_TAG) == call.urn
    ]


# -- Node group -------------------------------------------------------------------------------------------------------

_GROUP_RENAMES = {"subnetIds": "subnets", "nodeRoleArn": "nodeRole", "nodeGroupName": "nodegroupName"}
_GROUP_OTHER = ("tags", "tagsAll", "region", "updateConfig", "nodeRepairConfig", "forceUpdateVersion",
                "nodeGroupNamePrefix", "__autonamed")  # fmt: skip
_ROLLED = ("version", "releaseVersion", "launchTemplate")


def _create_group(call: Call) -> str:
    cluster, name = call.inputs["clusterName"], call.inputs["nodeGroupName"]
    request = _request(call, "CreateNodegroup", _GROUP_OTHER, _GROUP_RENAMES)
    call.cloud.call("eks", "create_nodegroup", **request, tags=call.all_tags)
    return f"{cluster}:{name}"


def _describe_group(cloud: Cloud, id: str) -> Values | None:
    cluster, name = id.split(":", 1)
    answer = cloud.seek("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)
    return answer["nodegroup"] if answer else None


def _settle_group(call: Call, changed: frozenset[str]) -> None:
    cloud, inputs = call.cloud, call.inputs
    cluster, name = call.id.split(":", 1)
    request: Values = {}
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
    if call.old_inputs and changed & set(_ROLLED):
        rolled = json.dumps({key: inputs[key] for key in _ROLLED if inputs.get(key)}, sort_keys=True)
        cloud.call("eks", "tag_resource", resourceArn=group["nodegroupArn"], tags={STATE_TAG: rolled})
    if "tags" in changed:
        _TAGS.settle(call, group["nodegroupArn"], group.get("tags") or {})
    eks_nodes.converge(cloud, cluster, name, _group_outputs(cloud, group))


def _group_outputs(cloud: Cloud, group: Values) -> Values:
    tags = dict(group.get("tags") or {})
    rolled = json.loads(tags.pop(STATE_TAG, "{}"))
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
    return {**found, **rolled}


def _read_group(cloud: Cloud, id: str, state: Values) -> Values | None:
    group = _describe_group(cloud, id)
    if group is None:
        return None
    found = _group_outputs(cloud, group)
    alive = eks_nodes.alive(cloud, *id.split(":", 1))
    if alive < int(found["scalingConfig"].get("desiredSize", alive)):
        found["scalingConfig"]["desiredSize"] = alive
        found["status"] = "DEGRADED"
    return found


def _delete_group(cloud: Cloud, id: str, state: Values) -> None:
    cluster, name = id.split(":", 1)
    eks_nodes.remove(cloud, cluster, name)
    gone_is_fine(lambda: cloud.call("eks", "delete_nodegroup", clusterName=cluster, nodegroupName=name))


def _find_group(call: Call) -> list[str]:
    cluster, name = call.inputs["clusterName"], call.inputs["nodeGroupName"]
    prefix = name.rsplit("-", 1)[0] + "-" if call.inputs.get("__autonamed") else name
    try:
        names = call.cloud.call("eks", "list_nodegroups", clusterName=cluster)["nodegroups"]
    except ServiceError as error:
        if error.is_gone:
            return []
        raise
    ids = [f"{cluster}:{one}" for one in names if one.startswith(prefix)]
    described = ((id, _describe_group(call.cloud, id)) for id in ids)
    return [id for id, group in described if group and tag_map(group.get("tags")).get(URN_TAG) == call.urn]


TYPES = (
    ResourceType(
        token="aws:eks/cluster:Cluster",
        create=_create_cluster,
        read=_read_cluster,
        delete=_delete_cluster,
        find=_find_cluster,
        settle=_settle_cluster,
        settled_on_create=frozenset({"name"}),
        replace_on=(
            "name", "roleArn", "encryptionConfig", "kubernetesNetworkConfig", "outpostConfig",
            "bootstrapSelfManagedAddons", "accessConfig.bootstrapClusterCreatorAdminPermissions",
        ),
        fidelity="realised",
        defaults={
            "accessConfig": {"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": True},
            "bootstrapSelfManagedAddons": True,
            "upgradePolicy": {"supportType": "EXTENDED"},
            "deletionProtection": False,
        },
        autoname=("name", 100),
        damage=(_STOPPED,),
    ),
    ResourceType(
        token="aws:eks/nodeGroup:NodeGroup",
        create=_create_group,
        read=_read_group,
        delete=_delete_group,
        find=_find_group,
        settle=_settle_group,
        settled_on_create=frozenset({"nodeGroupName", "updateConfig", "nodeRepairConfig"}),
        replace_on=(
            "clusterName", "nodeGroupName", "nodeGroupNamePrefix", "nodeRoleArn", "subnetIds", "instanceTypes",
            "amiType", "capacityType", "diskSize", "remoteAccess", "launchTemplate.id", "launchTemplate.name",
        ),
        fidelity="realised",
        autoname=("nodeGroupName", 63),
    ),
)  # fmt: skip
"""Clusters and node groups."""
