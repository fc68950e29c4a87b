"""The machine behind an instance: in the network of the cluster that the instance's VPC holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local import configuration, control_plane, vehicle
from local.aws.cloud import Cloud, tag_map
from local.machines import instances
from local.machines.instances import Instance
from local.provider.values import Values

_HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")


@dataclass(frozen=True)
class Seen:
    """What is behind an instance that has, or should have, a machine; ``address`` is empty before it had one."""

    address: str
    is_running: bool


def converge(cloud: Cloud, instance: Values) -> None:
    """Let the instance's machine run, and have it configured where it was started; nothing where it has none here.

    Raises:
        LocalCloudError: it cannot be started, or an association failed on it.
    """
    plane = _plane(cloud, instance)
    if plane is None:
        return
    root = cloud.account.root
    wanted = _spec(plane, instance)
    for other in instances.list_instances(plane):
        if other.id == wanted.id and other.name != wanted.name:
            # Its tag `Name` is another one now: it is a new machine, which has nothing of the old one's.
            instances.stop(plane, other.name)
    group = configuration.Group(cloud.region, plane.name, configuration.INSTANCES)
    joining = [] if instances.running(plane, wanted.name) else [wanted.name]
    configuration.expect(root, group, joining)
    instances.start(plane, wanted)
    configuration.configure_joined(root, group, joining)


def look(cloud: Cloud, instance: Values) -> Seen | None:
    """The instance's machine; None where it has none here."""
    plane = _plane(cloud, instance)
    if plane is None:
        return None
    name = _name(plane, instance)
    return Seen(instances.address(plane, name) or "", instances.running(plane, name))


def remove(cloud: Cloud, id: str) -> None:
    """Remove the machine that is this instance's, wherever it is; one that another instance has taken over stays."""
    for plane in control_plane.clusters(cloud.account.root):
        for found in instances.list_instances(plane):
            if plane.region == cloud.region and found.id == id:
                instances.stop(plane, found.name)


def _plane(cloud: Cloud, instance: Values) -> control_plane.ControlPlane | None:
    chosen = vehicle.recorded(cloud.account.root)
    if chosen is None or not chosen.is_machines:
        return None
    planes = [plane for plane in control_plane.clusters(cloud.account.root) if plane.region == cloud.region]
    return next((plane for plane in planes if _vpc_of(cloud, plane.name) == instance["VpcId"]), None)


def _vpc_of(cloud: Cloud, cluster: str) -> str:
    answer = cloud.seek("eks", "describe_cluster", name=cluster)
    subnets = answer["cluster"]["resourcesVpcConfig"].get("subnetIds") if answer else None
    found = cloud.seek("ec2", "describe_subnets", SubnetIds=subnets[:1]) if subnets else None
    return found["Subnets"][0]["VpcId"] if found and found["Subnets"] else ""


def _spec(plane: control_plane.ControlPlane, instance: Values) -> Instance:
    return Instance(
        name=_name(plane, instance), id=instance["InstanceId"], instance_type=instance["InstanceType"],
        zone=instance["Placement"]["AvailabilityZone"], tags=tag_map(instance.get("Tags")),
    )  # fmt: skip


def _name(plane: control_plane.ControlPlane, instance: Values) -> str:
    """What its tag ``Name`` says, where that can be a host's name and no node has it; else its id."""
    name = tag_map(instance.get("Tags")).get("Name", "")
    is_free = _HOST_NAME.fullmatch(name) and not instances.is_node(plane, name)
    return name if is_free else instance["InstanceId"]
