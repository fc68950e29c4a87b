"""A managed node group: which machines, how many, and how they are updated."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from .autoscaling import node_template_tags
from .naming import NODE_GROUP_LIMIT, fit
from .releases import AMI_RELEASES
from .settings import PoolConfig, Taint

POOL_LABEL = "ai-datacenter/pool"
_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
_CAPACITIES = {"on_demand": "ON_DEMAND", "spot": "SPOT", "capacity_block": "CAPACITY_BLOCK"}


@dataclass(frozen=True, kw_only=True)
class NodeGroupArgs:
    """``name``: the data centre's; ``template_version``: the launch template's, a number as text."""

    name: str
    pool: str
    config: PoolConfig
    kubernetes_version: str
    cluster_name: pulumi.Input[str]
    node_role_arn: pulumi.Input[str]
    subnet_ids: list[pulumi.Output[str]]
    template_id: pulumi.Input[str]
    template_version: pulumi.Input[str]


def node_group(args: NodeGroupArgs) -> aws.eks.NodeGroupArgs:
    """The node group, as AWS has it."""
    config = args.config
    return aws.eks.NodeGroupArgs(
        node_group_name=fit(args.name, args.pool, limit=NODE_GROUP_LIMIT),
        cluster_name=args.cluster_name,
        node_role_arn=args.node_role_arn,
        subnet_ids=args.subnet_ids,
        ami_type=config.instance.ami_type,
        release_version=config.ami_release or AMI_RELEASES[args.kubernetes_version],
        capacity_type=_CAPACITIES[config.capacity],
        instance_types=None if config.capacity == "capacity_block" else [config.instance_type],
        launch_template=aws.eks.NodeGroupLaunchTemplateArgs(id=args.template_id, version=args.template_version),
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(
            min_size=config.min_size, desired_size=config.desired_size, max_size=config.most
        ),
        update_config=aws.eks.NodeGroupUpdateConfigArgs(
            max_unavailable=config.max_unavailable, update_strategy="DEFAULT" if config.surges else "MINIMAL"
        ),
        labels={**config.labels, POOL_LABEL: args.pool},
        taints=[
            aws.eks.NodeGroupTaintArgs(key=taint.key, value=taint.value, effect=_EFFECTS[taint.effect])
            for taint in taints(config)
        ],
        tags=node_template_tags(config) or None,
    )


def taints(config: PoolConfig) -> list[Taint]:
    """The pool's taints: an accelerator pool keeps away every pod that does not ask for its chips."""
    own = config.instance.device_resource
    return [*([Taint(key=own, value="present")] if own else []), *config.taints]
