"""A pool of equal nodes: launch template, fabric, role and the managed node group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from .block_calendar import actions, create_schedules, tell
from .launch_template import LaunchTemplateArgs, launch_template
from .naming import IAM_ROLE_LIMIT, NODES_TAG, component_type, fit
from .node_group import NodeGroupArgs, node_group
from .node_role import create_node_role
from .settings import PoolConfig


@dataclass(frozen=True, kw_only=True)
class NodePoolArgs:
    """Arguments of :class:`NodePool`.

    Attributes:
        pool: its name in the stack file.
        subnet_ids: where nodes may be.
        key_arn: the KMS key that encrypts the disks.
        tags: on the machines, which a provider's default tags do not reach.
    """

    name: str
    pool: str
    region: str
    config: PoolConfig
    kubernetes_version: str
    cluster_name: pulumi.Input[str]
    cluster_security_group_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    key_arn: pulumi.Input[str]
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


class NodePool(pulumi.ComponentResource):
    """One managed node group and what it stands on.

    Attributes:
        node_group: the node group, to wait for.
        node_group_name: its name.
        node_role_arn: the role of its nodes.
        node_role_name: the same by name, to attach policies to.
        fabric_group_ids: the security group of EFA, empty without EFA.
    """

    node_group: aws.eks.NodeGroup
    node_group_name: pulumi.Output[str]
    node_role_arn: pulumi.Output[str]
    node_role_name: pulumi.Output[str]
    fabric_group_ids: list[pulumi.Output[str]]

    def __init__(self, name: str, args: NodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(NodePool), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        role_name = fit(args.name, args.region, args.pool, "node", limit=IAM_ROLE_LIMIT)
        role, policies = create_node_role(name, role_name, args.region, self._child)
        self.fabric_group_ids = self._create_fabric_group()
        template = self._create_launch_template(self._create_placement_group())
        self.node_group = self._create_node_group(role, template, policies)
        self._create_calendar()
        self.node_group_name = self.node_group.node_group_name
        self.node_role_arn, self.node_role_name = role.arn, role.name
        self.register_outputs({"node_group_name": self.node_group_name})

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

    def _create_launch_template(self, placement: aws.ec2.PlacementGroup | None) -> aws.ec2.LaunchTemplate:
        args = self._args
        own = f"{args.name}-{args.pool}"
        wanted = LaunchTemplateArgs(
            name=own,
            config=args.config,
            security_group_ids=[args.cluster_security_group_id, *self.fabric_group_ids],
            placement_group=placement.name if placement else None,
            key_arn=args.key_arn,
            tags={**args.tags, NODES_TAG: args.name, "Name": own},
        )
        return aws.ec2.LaunchTemplate(f"{self._name}-template", launch_template(wanted), opts=self._child)

    def _create_node_group(
        self, role: aws.iam.Role, template: aws.ec2.LaunchTemplate, after: list[pulumi.Resource]
    ) -> aws.eks.NodeGroup:
        args = self._args
        wanted = NodeGroupArgs(
            name=args.name,
            pool=args.pool,
            config=args.config,
            kubernetes_version=args.kubernetes_version,
            cluster_name=args.cluster_name,
            node_role_arn=role.arn,
            subnet_ids=args.subnet_ids,
            template_id=template.id,
            template_version=template.latest_version.apply(str),
        )
        # What an autoscaler or a calendar has set since is not to be taken back by a change of something else.
        kept = ["scalingConfig.desiredSize"] if args.config.sized_elsewhere else None
        # EKS takes no second group of one name: the old one goes first.
        opts = pulumi.ResourceOptions(parent=self, depends_on=after, ignore_changes=kept, delete_before_replace=True)
        return aws.eks.NodeGroup(f"{self._name}-nodes", node_group(wanted), opts=opts)

    def _create_calendar(self) -> None:
        config = self._args.config
        if config.calendar:
            group_name = self.node_group.resources.apply(_group_name)
            planned = actions(config.calendar, config.desired_size)
            tell(self._args.pool, config.calendar, self)
            create_schedules(self._name, self._args.pool, group_name, planned, self._child)


def _group_name(resources: Sequence[aws.eks.outputs.NodeGroupResource]) -> str:
    """The one Auto Scaling group behind a managed node group."""
    return (resources[0].autoscaling_groups or [])[0].name or ""
