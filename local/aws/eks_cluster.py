"""EKS clusters: moto holds the record, a real control plane (etcd, API server, controllers) is behind it.

Reads look at the processes: what has died is drift, and the next ``up`` starts it again.
"""

from __future__ import annotations

import base64
import hashlib

from local import control_plane
from local.aws.cloud import Cloud, tag_list
from local.aws.eks_common import TAGS, create_request, plane_of
from local.aws.resource_type import AUTONAMED, STATE_TAG, URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import from_members
from local.provider.values import Values

_STOPPED = "localControlPlane"
"""A property that only a refresh reports: which processes of the control plane are dead. It is an input too, so that
the next ``up`` sees a difference and starts them."""
_OTHER = ("tags", "tagsAll", "region", "enabledClusterLogTypes", "vpcConfig", "forceUpdateVersion",
          "defaultAddonsToRemoves", "encryptionConfig", AUTONAMED, _STOPPED)  # fmt: skip


def _vpc_request(config: Values) -> Values:
    names = ("subnetIds", "securityGroupIds", "endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
    return {name: config[name] for name in names if config.get(name) is not None}


def _logging(types: list[str] | None) -> Values:
    return {"clusterLogging": [{"types": sorted(types or []), "enabled": True}]} if types else {"clusterLogging": []}


def _create(call: Call) -> str:
    inputs = call.inputs
    request = create_request(call, "CreateCluster", _OTHER)
    request["resourcesVpcConfig"] = _vpc_request(inputs["vpcConfig"])
    if inputs.get("encryptionConfig"):
        request["encryptionConfig"] = [inputs["encryptionConfig"]]
    if inputs.get("enabledClusterLogTypes"):
        request["logging"] = _logging(inputs["enabledClusterLogTypes"])
    call.cloud.call("eks", "create_cluster", **request, tags=call.all_tags)
    return inputs["name"]


def _settle(call: Call, changed: frozenset[str]) -> None:
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
        TAGS.settle(call, cluster["arn"], cluster.get("tags") or {})
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


def read_cluster(cloud: Cloud, id: str, state: Values) -> Values | None:
    """A cluster's outputs; ``None`` where there is none of that name."""
    answer = cloud.seek("eks", "describe_cluster", name=id)
    if answer is None:
        return None
    cluster = answer["cluster"]
    tags = dict(cluster.get("tags") or {})
    version = tags.pop(STATE_TAG, cluster["version"])
    plane = plane_of(cloud, id)
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


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("eks", "delete_cluster", name=id))
    if (plane := plane_of(cloud, id)) is not None:
        plane.remove()
    if group := _group_of(cloud, id):
        gone_is_fine(lambda: cloud.call("ec2", "delete_security_group", GroupId=group))


def _find(call: Call) -> list[str]:
    names = call.possible_names(lambda _: call.cloud.call("eks", "list_clusters")["clusters"])
    described = ((one, call.cloud.seek("eks", "describe_cluster", name=one)) for one in names)
    return [
        one for one, answer in described if answer and (answer["cluster"].get("tags") or {}).get(URN_TAG) == call.urn
    ]


TYPES = (
    ResourceType(
        token="aws:eks/cluster:Cluster",
        create=_create,
        read=read_cluster,
        delete=_delete,
        find=_find,
        settle=_settle,
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
)  # fmt: skip
"""Clusters."""
