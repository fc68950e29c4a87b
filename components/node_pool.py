"""A pool of equal nodes: launch template, fabric, role and the managed node group."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .accelerators import InstanceType
from .autoscaling import node_template_tags
from .naming import IAM_ROLE_LIMIT, NODE_GROUP_LIMIT, NODES_TAG, component_type, fit, managed_policy_arn
from .network import service_trust
from .releases import AMI_RELEASES
from .settings import PoolConfig, Taint

POOL_LABEL = "ai-datacenter/pool"
_ROLE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")
_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
_CAPACITIES = {"on_demand": "ON_DEMAND", "spot": "SPOT", "capacity_block": "CAPACITY_BLOCK"}


@dataclass(frozen=True, kw_only=True)
class NodePoolArgs:
    """``subnet_ids``: where nodes may be; ``tags``: on the machines, which a provider's default tags do not reach."""

    name: str
    pool: str
    region: str
    config: PoolConfig
    kubernetes_version: str
    cluster_name: pulumi.Input[str]
    cluster_security_group_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: list[pulumi.Output[str]]
    key_arn: pulumi.Input[str]
    tags: dict[str, str]


class NodePool(pulumi.ComponentResource):
    """One managed node group and what it stands on."""

    node_group: aws.eks.NodeGroup
    node_group_name: pulumi.Output[str]
    node_role_arn: pulumi.Output[str]
    node_role_name: pulumi.Output[str]
    fabric_group_ids: list[pulumi.Output[str]]

    def __init__(self, name: str, args: NodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(NodePool), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        role, policies = self._create_role()
        self.fabric_group_ids = self._create_fabric_group()
        groups = [args.cluster_security_group_id, *self.fabric_group_ids]
        template = self._create_launch_template(groups, self._create_placement_group())
        self.node_group = self._create_node_group(role, template, policies)
        self.node_group_name = self.node_group.node_group_name
        self.node_role_arn, self.node_role_name = role.arn, role.name
        self.register_outputs({"node_group_name": self.node_group_name})

    def _create_role(self) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-role",
            name=fit(args.name, args.region, args.pool, "node", limit=IAM_ROLE_LIMIT),
            assume_role_policy=json.dumps(service_trust("ec2.amazonaws.com")),
            opts=self._child,
        )
        policies: list[pulumi.Resource] = [
            aws.iam.RolePolicyAttachment(
                f"{self._name}-{policy}",
                role=role.name,
                policy_arn=managed_policy_arn(policy, args.region),
                opts=self._child,
            )
            for policy in _ROLE_POLICIES
        ]
        policies.append(
            aws.iam.RolePolicy(
                f"{self._name}-systems-manager",
                role=role.name,
                policy=json.dumps(systems_manager()),
                opts=self._child,
            )
        )
        return role, policies

    def _create_fabric_group(self) -> list[pulumi.Output[str]]:
        """EFA needs rules in and out that name the group itself; an open egress rule does not cover it (EC2 guide)."""
        if not self._args.config.adapters:
            return []
        group = aws.ec2.SecurityGroup(
            f"{self._name}-fabric",
            description="All traffic between the nodes of one pool over EFA",
            vpc_id=self._args.vpc_id,
            tags={"Name": f"{self._args.name}-{self._args.pool}-fabric"},
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-fabric-in",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol="-1",
            opts=self._child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-fabric-out",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol="-1",
            opts=self._child,
        )
        return [group.id]

    def _create_placement_group(self) -> aws.ec2.PlacementGroup | None:
        if not self._args.config.placement_group:
            return None
        return aws.ec2.PlacementGroup(
            f"{self._name}-placement",
            name=f"{self._args.name}-{self._args.pool}",
            strategy="cluster",
            opts=self._child,
        )

    def _create_launch_template(
        self, groups: list[pulumi.Input[str]], placement: aws.ec2.PlacementGroup | None
    ) -> aws.ec2.LaunchTemplate:
        """Never a subnet: the node group decides those, and a template that names one is refused."""
        args, config = self._args, self._args.config
        tags = {**args.tags, NODES_TAG: args.name, "Name": f"{args.name}-{args.pool}"}
        return aws.ec2.LaunchTemplate(
            f"{self._name}-template",
            name=f"{args.name}-{args.pool}",
            update_default_version=True,
            block_device_mappings=[
                {
                    "device_name": "/dev/xvda",
                    "ebs": {
                        "volume_size": args.config.disk_size_gb,
                        "volume_type": "gp3",
                        "encrypted": "true",
                        "kms_key_id": args.key_arn,
                        "delete_on_termination": "true",
                    },
                }
            ],
            # One hop: pods cannot take the node's role; they have Pod Identity.
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            network_interfaces=network_interfaces(config.instance, config.adapters, groups) or None,
            vpc_security_group_ids=None if config.adapters else groups,
            placement={"group_name": placement.name} if placement else None,
            user_data=user_data(config.instance, config.max_pods),
            tag_specifications=[
                {"resource_type": kind, "tags": tags} for kind in ("instance", "volume", "network-interface")
            ],
            **self._reservation(),
            opts=self._child,
        )

    def _reservation(self) -> dict[str, Any]:
        """What a capacity reservation needs in the template; a block also the instance type (EKS guide)."""
        config = self._args.config
        if not config.capacity_reservation_id:
            return {}
        reserved: dict[str, Any] = {
            "capacity_reservation_specification": {
                "capacity_reservation_target": {"capacity_reservation_id": config.capacity_reservation_id}
            }
        }
        if config.capacity == "capacity_block":
            reserved["instance_market_options"] = {"market_type": "capacity-block"}
            reserved["instance_type"] = config.instance_type
        return reserved

    def _create_node_group(
        self, role: aws.iam.Role, template: aws.ec2.LaunchTemplate, after: list[pulumi.Resource]
    ) -> aws.eks.NodeGroup:
        args, config = self._args, self._args.config
        return aws.eks.NodeGroup(
            f"{self._name}-nodes",
            node_group_name=fit(args.name, args.pool, limit=NODE_GROUP_LIMIT),
            cluster_name=args.cluster_name,
            node_role_arn=role.arn,
            subnet_ids=args.subnet_ids,
            ami_type=config.instance.ami_type,
            release_version=config.ami_release or AMI_RELEASES[args.kubernetes_version],
            capacity_type=_CAPACITIES[config.capacity],
            instance_types=None if config.capacity == "capacity_block" else [config.instance_type],
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config={
                "min_size": config.min_size,
                "desired_size": config.desired_size,
                "max_size": config.most,
            },
            update_config={
                "max_unavailable": config.max_unavailable,
                "update_strategy": "DEFAULT" if config.surges else "MINIMAL",
            },
            labels={**config.labels, POOL_LABEL: args.pool},
            taints=[
                {"key": taint.key, "value": taint.value, "effect": _EFFECTS[taint.effect]} for taint in taints(config)
            ],
            tags=node_template_tags(config) or None,
            # What an autoscaler has set since is not to be taken back by the next change of something else.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=after,
                ignore_changes=["scalingConfig.desiredSize"] if config.autoscaled else None,
            ),
        )


def systems_manager() -> dict[str, Any]:
    """What the Systems Manager agent needs to register a node and to apply associations.

    AmazonSSMManagedInstanceCore without its right to read every parameter of the account. It is there before the
    machines: an agent that is refused asks again after minutes, then after ever longer.
    """
    ssm = (
        "DescribeAssociation", "DescribeDocument", "GetDocument", "ListAssociations", "ListInstanceAssociations",
        "PutComplianceItems", "PutInventory", "UpdateAssociationStatus", "UpdateInstanceAssociationStatus",
        "UpdateInstanceInformation",
    )  # fmt: skip
    channels = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    messages = ("AcknowledgeMessage", "DeleteMessage", "FailMessage", "GetEndpoint", "GetMessages", "SendReply")
    actions = [
        *(f"ssm:{action}" for action in ssm),
        *(f"ssmmessages:{action}" for action in channels),
        *(f"ec2messages:{action}" for action in messages),
    ]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}


def taints(config: PoolConfig) -> list[Taint]:
    """The pool's taints: an accelerator pool keeps away every pod that does not ask for its chips."""
    own = config.instance.device_resource
    return [*([Taint(key=own, value="present")] if own else []), *config.taints]


def network_interfaces(
    instance: InstanceType, adapters: int, groups: list[pulumi.Input[str]]
) -> list[aws.ec2.LaunchTemplateNetworkInterfaceArgsDict]:
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
        {
            "network_card_index": card,
            "device_index": device,
            "interface_type": kind,
            "delete_on_termination": "true",
            "security_groups": groups,
        }
        for card, device, kind in places
    ]


def user_data(instance: InstanceType, max_pods: int | None) -> str | None:
    """NodeConfig for what differs from EKS's defaults; ``None`` where nothing does.

    Instance store disks become one file system, for images and scratch space.
    """
    spec: dict[str, Any] = {}
    if instance.nvme:
        spec["instance"] = {"localStorage": {"strategy": "RAID0"}}
    if max_pods is not None:
        spec["kubelet"] = {"config": {"maxPods": max_pods}}
    if not spec:
        return None
    node_config = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": spec}
    parts = (
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="BOUNDARY"',
        "",
        "--BOUNDARY",
        "Content-Type: application/node.eks.aws",
        "",
        json.dumps(node_config),
        "--BOUNDARY--",
        "",
    )
    return base64.b64encode("\n".join(parts).encode()).decode()
