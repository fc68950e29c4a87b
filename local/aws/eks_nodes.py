"""The nodes behind a node group: as many as the group desires, of the size that EC2 says, machines or processes."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local import configuration, control_plane, nodes
from local.aws.cloud import Cloud
from local.aws.eks_common import plane_of
from local.aws.node_config import registration
from local.node_spec import NodeSpec, Taint
from local.paths import LocalCloudError
from local.provider import ProviderError
from local.provider.values import Values

_log = logging.getLogger(__name__)
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
_DEFAULT_TYPE = "t3.medium"  # EKS' own default for managed node groups


def converge(cloud: Cloud, cluster: str, group: str, outputs: Values) -> None:
    """Start, change and stop nodes until exactly the desired number runs with the group's labels and taints.

    Raises:
        LocalCloudError: the cluster has no control plane here, or a node does not become ready.
    """
    plane = control_plane.ensure(cloud.account.root, cloud.region, cluster)
    wanted = _specs(cloud, cluster, group, outputs)
    names = {spec.name for spec in wanted}
    carrier = nodes.of(plane)
    surplus = [spec.name for spec in carrier.list_nodes(plane, group) if spec.name not in names]
    joining = [spec.name for spec in wanted if not carrier.running(plane, spec.name)]
    own = configuration.Group(cloud.region, cluster, group)
    configuration.expect(cloud.account.root, own, joining)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: carrier.stop(plane, name), surplus))
        list(pool.map(lambda spec: carrier.start(plane, spec), wanted))
    configuration.configure_joined(cloud.account.root, own, joining)
    _tell_others(cloud, cluster)


def alive(cloud: Cloud, cluster: str, group: str) -> int:
    """How many of the group's nodes run."""
    plane = plane_of(cloud, cluster)
    if plane is None:
        return 0
    carrier = nodes.of(plane)
    return sum(carrier.running(plane, spec.name) for spec in carrier.list_nodes(plane, group))


def remove(cloud: Cloud, cluster: str, group: str) -> None:
    """Stop all nodes of the group, with what runs on them."""
    configuration.forget(cloud.account.root, configuration.Group(cloud.region, cluster, group))
    plane = plane_of(cloud, cluster)
    if plane is None:
        return
    carrier = nodes.of(plane)
    names = [spec.name for spec in carrier.list_nodes(plane, group)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: carrier.stop(plane, name), names))
    _tell_others(cloud, cluster)


def _tell_others(cloud: Cloud, cluster: str) -> None:
    """Tell the machines that are no nodes. The group is as it is declared, whether or not one of them is sick."""
    try:
        configuration.tell_of_nodes(cloud.account.root, cloud.region, cluster)
    except (LocalCloudError, ProviderError) as error:
        _log.warning("%s: who watches the nodes does not know yet that they are others; %s", cluster, error)


def _specs(cloud: Cloud, cluster: str, group: str, outputs: Values) -> list[NodeSpec]:
    count = int(outputs["scalingConfig"].get("desiredSize", 0))
    kind = instance_type(cloud, outputs)
    vcpus, memory_mib = _size(cloud, kind)
    zones = _zones(cloud, outputs["subnetIds"])
    tags = {**_instance_tags(cloud, outputs), "eks:cluster-name": cluster, "eks:nodegroup-name": group}
    taints = tuple(
        Taint(taint["key"], taint.get("value", ""), _EFFECTS[taint["effect"]]) for taint in outputs["taints"]
    )
    first = registration(_launch_template(cloud, outputs).get("UserData"))
    return [
        NodeSpec(
            name=f"{group}-{number}", nodegroup=group, instance_type=kind, zone=zones[number % len(zones)],
            vcpus=vcpus, memory_mib=memory_mib, labels=dict(outputs["labels"]), taints=taints, tags=tags,
            first_labels=first.labels, first_taints=first.taints,
        )
        for number in range(count)
    ]  # fmt: skip


def instance_type(cloud: Cloud, outputs: Values) -> str:
    """The group's instance type, or that of its launch template."""
    declared = _launch_template(cloud, outputs).get("InstanceType")
    return declared or (outputs.get("instanceTypes") or [_DEFAULT_TYPE])[0]


def _instance_tags(cloud: Cloud, outputs: Values) -> dict[str, str]:
    """What the launch template writes on its instances."""
    specifications = _launch_template(cloud, outputs).get("TagSpecifications") or []
    return {
        tag["Key"]: tag["Value"]
        for specification in specifications
        if specification.get("ResourceType") == "instance"
        for tag in specification.get("Tags") or []
    }


def _launch_template(cloud: Cloud, outputs: Values) -> dict[str, Any]:
    """The data of the version that the group uses; empty where it has no template."""
    template = outputs.get("launchTemplate")
    if not template:
        return {}
    by = {"LaunchTemplateId": template["id"]} if template.get("id") else {"LaunchTemplateName": template["name"]}
    versions = cloud.call(
        "ec2", "describe_launch_template_versions", **by, Versions=[str(template.get("version") or "$Default")]
    )["LaunchTemplateVersions"]
    return versions[0]["LaunchTemplateData"] if versions else {}


def _size(cloud: Cloud, kind: str) -> tuple[int, int]:
    """vCPUs and memory in MiB, as EC2 declares them; accelerators are not claimed, for there are none here."""
    answer = cloud.seek("ec2", "describe_instance_types", InstanceTypes=[kind])
    entries: list[dict[str, Any]] = (answer or {}).get("InstanceTypes") or []
    if not entries:
        raise LocalCloudError(f"EC2 knows no instance type {kind}; correct the node pool's instance type")
    return entries[0]["VCpuInfo"]["DefaultVCpus"], entries[0]["MemoryInfo"]["SizeInMiB"]


def _zones(cloud: Cloud, subnets: list[str]) -> list[str]:
    answer = cloud.call("ec2", "describe_subnets", SubnetIds=subnets)
    zone_of = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in answer["Subnets"]}
    return [zone_of[id] for id in subnets]
