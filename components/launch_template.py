"""How a pool's machines are launched: disk, network interfaces, reservation, and what nodes are told at their start.

Every change here is a new version of the template, for which the node group replaces its machines.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .accelerators import InstanceType
from .node_group import taints
from .settings import UNVERIFIED, PoolConfig

_BLOCK_MARKET = aws.ec2.LaunchTemplateInstanceMarketOptionsArgs(market_type="capacity-block")

# By it the check is called. nodeadm appends EKS's own flags, and the kubelet adds up the labels of all of them.
FIRST_LABEL = {"flags": [f"--node-labels={UNVERIFIED}=true"]}


@dataclass(frozen=True, kw_only=True)
class LaunchTemplateArgs:
    """``security_group_ids``: of every interface; ``tags``: of the machines; ``placement_group``: its name."""

    name: str
    config: PoolConfig
    security_group_ids: list[pulumi.Input[str]]
    placement_group: pulumi.Input[str] | None
    key_arn: pulumi.Input[str]
    tags: dict[str, str]


def launch_template(args: LaunchTemplateArgs) -> aws.ec2.LaunchTemplateArgs:
    """The template. Never a subnet: the node group decides those, and a template that names one is refused."""
    config, groups = args.config, args.security_group_ids
    kinds = ("instance", "volume", "network-interface")
    disk = aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
        volume_size=config.disk_size_gb,
        volume_type="gp3",
        encrypted="true",
        kms_key_id=args.key_arn,
        delete_on_termination="true",
    )
    is_block = config.capacity == "capacity_block"
    return aws.ec2.LaunchTemplateArgs(
        name=args.name,
        update_default_version=True,
        block_device_mappings=[aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvda", ebs=disk)],
        # One hop: pods cannot take the node's role; they have Pod Identity.
        metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        network_interfaces=network_interfaces(config.instance, config.adapters, groups) or None,
        vpc_security_group_ids=None if config.adapters else groups,
        placement=aws.ec2.LaunchTemplatePlacementArgs(group_name=args.placement_group)
        if args.placement_group
        else None,
        user_data=user_data(config),
        tag_specifications=[
            aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=args.tags) for kind in kinds
        ],
        capacity_reservation_specification=_reservation(config.capacity_reservation_id),
        # A block also needs the instance type here, and not in the node group (EKS guide).
        instance_market_options=_BLOCK_MARKET if is_block else None,
        instance_type=config.instance_type if is_block else None,
    )


def _reservation(id: str | None) -> aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs | None:
    if id is None:
        return None
    target = aws.ec2.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs(
        capacity_reservation_id=id
    )
    return aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs(capacity_reservation_target=target)


def network_interfaces(
    instance: InstanceType, adapters: int, groups: list[pulumi.Input[str]]
) -> list[aws.ec2.LaunchTemplateNetworkInterfaceArgs]:
    """The template's interfaces for a type with so many EFA interfaces, none for one without.

    Card 0 carries the machine's address on an ordinary interface and, where it takes one, its EFA beside it at device
    1; every other card is fabric only, at device 0 (EC2 guide, "Maximize network bandwidth on Amazon EC2 instances
    with multiple network cards").
    """
    first = instance.first_efa_card
    if not adapters or first is None:
        return []
    cards = range(first, first + adapters)
    places = [(0, 0, "interface"), *((card, 1 if card == 0 else 0, "efa-only") for card in cards)]
    return [
        aws.ec2.LaunchTemplateNetworkInterfaceArgs(
            network_card_index=card,
            device_index=device,
            interface_type=kind,
            delete_on_termination="true",
            security_groups=groups,
        )
        for card, device, kind in places
    ]


def user_data(config: PoolConfig) -> str | None:
    """NodeConfig for what differs from EKS's defaults; ``None`` where nothing does.

    Instance store disks become one file system, for images and scratch space. With EFA containers may lock memory: what
    the adapter reads and writes is pinned, and the AMI leaves them a few MiB (Bottlerocket lifts that limit by itself).
    """
    spec: dict[str, Any] = {}
    if config.instance.nvme:
        spec["instance"] = {"localStorage": {"strategy": "RAID0"}}
    if config.adapters:
        spec["containerd"] = {"baseRuntimeSpec": {"process": {"rlimits": _limits(config.instance)}}}
    kubelet: dict[str, Any] = {"config": {"maxPods": config.max_pods}} if config.max_pods is not None else {}
    if config.verified:
        kubelet.setdefault("config", {})["registerWithTaints"] = _first_taints(config)
        kubelet |= FIRST_LABEL
    if kubelet:
        spec["kubelet"] = kubelet
    return base64.b64encode(node_config(spec).encode()).decode() if spec else None


def _limits(instance: InstanceType) -> list[dict[str, Any]]:
    """Of every container. The list takes the place of nodeadm's, so that its limit of open files is in it."""
    memory = instance.memory_gib << 30
    return [
        {"type": "RLIMIT_NOFILE", "soft": 65_536, "hard": 1_048_576},
        {"type": "RLIMIT_MEMLOCK", "soft": memory, "hard": memory},
    ]


def node_config(spec: dict[str, Any]) -> str:
    """User data that nodeadm reads beside EKS's or Karpenter's own."""
    declared = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": spec}
    parts = (
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="BOUNDARY"',
        "",
        "--BOUNDARY",
        "Content-Type: application/node.eks.aws",
        "",
        json.dumps(declared),
        "--BOUNDARY--",
        "",
    )
    return "\n".join(parts)


def _first_taints(config: PoolConfig) -> list[dict[str, str]]:
    """What a verified pool's nodes register with. The node group's taints are among it, for the list may take the place
    of EKS's own; the last one is here alone, because EKS would hold what the node group declares."""
    own = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in taints(config)]
    return [*own, {"key": UNVERIFIED, "effect": "NoSchedule"}]
