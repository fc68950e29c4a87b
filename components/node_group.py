"""A managed node group: which machines, how many, and how they are updated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from .autoscaling import node_template_tags
from .naming import NODE_GROUP_LIMIT, fit
from .releases import AMI_RELEASES
from .settings import NodeRepairConfig, PoolConfig, Taint

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
    subnet_ids: Sequence[pulumi.Input[str]]
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
        release_version=ami_release(config, args.kubernetes_version),
        capacity_type=_CAPACITIES[config.capacity],
        instance_types=None if config.capacity == "capacity_block" else [config.instance_type],
        launch_template=aws.eks.NodeGroupLaunchTemplateArgs(id=args.template_id, version=args.template_version),
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(
            min_size=config.min_size, desired_size=config.initial_size, max_size=config.most
        ),
        update_config=aws.eks.NodeGroupUpdateConfigArgs(
            max_unavailable=config.max_unavailable, update_strategy="DEFAULT" if config.surges else "MINIMAL"
        ),
        node_repair_config=_repair(config.node_repair),
        warm_pool_config=_warm_pool(config),
        labels={**config.labels, POOL_LABEL: args.pool},
        taints=[
            aws.eks.NodeGroupTaintArgs(key=taint.key, value=taint.value, effect=_EFFECTS[taint.effect])
            for taint in taints(config)
        ],
        tags=node_template_tags(config) or None,
    )


def _repair(repair: NodeRepairConfig | None) -> aws.eks.NodeGroupNodeRepairConfigArgs | None:
    if repair is None:
        return None
    return aws.eks.NodeGroupNodeRepairConfigArgs(
        enabled=True,
        max_parallel_nodes_repaired_count=repair.max_parallel_nodes,
        max_unhealthy_node_threshold_percentage=repair.max_unhealthy_percent,
    )


def _warm_pool(config: PoolConfig) -> aws.eks.NodeGroupWarmPoolConfigArgs | None:
    """Without a bound Auto Scaling would keep warm all that there may be, and not only what is asked for."""
    if config.warm_pool is None:
        return None
    return aws.eks.NodeGroupWarmPoolConfigArgs(
        min_size=config.warm_pool.min_size,
        max_group_prepared_capacity=config.desired_size + config.warm_pool.min_size,
        pool_state=config.warm_pool.state.upper(),
    )


def ami_release(config: PoolConfig, kubernetes_version: str) -> str:
    """The release of EKS' AMIs that its nodes run."""
    return config.ami_release or AMI_RELEASES[kubernetes_version]


def taints(config: PoolConfig) -> list[Taint]:
    """The pool's taints: an accelerator pool keeps away every pod that does not ask for its chips."""
    own = config.instance.device_resource
    return [*([Taint(key=own, value="present")] if own else []), *config.taints]
