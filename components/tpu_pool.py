"""A pool of equal TPU slices: a node pool for each slice of several machines, one for all slices of a machine each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from .gke import CLUSTER_LIMIT, SCOPE, SHIELDED
from .naming import component_type, fit
from .node_group import POOL_LABEL
from .settings import UNVERIFIED, TpuPoolConfig
from .settings.tpu import MAX_PODS

ACCELERATOR_LABEL, TOPOLOGY_LABEL = "cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology"
NODE_POOL_LABEL = "cloud.google.com/gke-nodepool"
# Machine types whose slices are placed by a workload policy; others by the node pool's own placement policy
# (GoogleCloudPlatform/cluster-toolkit, examples/gke-tpu-7x and gke-tpu-v6e).
_BY_WORKLOAD_POLICY = ("tpu7x-",)
# Compute Engine guide, Hyperdisk: these machine types take no persistent disk.
_HYPERDISK = ("ct6e-", "tpu7x-")


@dataclass(frozen=True, kw_only=True)
class TpuPoolArgs:
    """Arguments of :class:`TpuPool`.

    Attributes:
        pool: its name in the stack file.
        cluster_name: the GKE cluster.
        node_account_email: the identity of its nodes.
    """

    name: str
    pool: str
    region: str
    config: TpuPoolConfig
    cluster_name: pulumi.Input[str]
    node_account_email: pulumi.Input[str]


class TpuPool(pulumi.ComponentResource):
    """The node pools of one pool of slices.

    Attributes:
        node_pools: the node pools, to wait for.
    """

    node_pools: list[gcp.container.NodePool]

    def __init__(self, name: str, args: TpuPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(TpuPool), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        policy = self._create_workload_policy()
        self.node_pools = [
            self._create_node_pool(index, node_pool, policy)
            for index, node_pool in enumerate(node_pool_names(args.pool, args.config))
        ]
        self.register_outputs({"node_pools": [node_pool.name for node_pool in self.node_pools]})

    def _create_workload_policy(self) -> gcp.compute.ResourcePolicy | None:
        config = self._args.config
        if not config.slice.is_multi_host or not config.machine_type.startswith(_BY_WORKLOAD_POLICY):
            return None
        return gcp.compute.ResourcePolicy(
            f"{self._name}-policy",
            name=fit(self._args.name, self._args.pool, limit=63),
            region=self._args.region,
            workload_policy={"type": "HIGH_THROUGHPUT", "accelerator_topology": config.topology},
            opts=self._child,
        )

    def _create_node_pool(
        self, index: int, node_pool: str, policy: gcp.compute.ResourcePolicy | None
    ) -> gcp.container.NodePool:
        args, config = self._args, self._args.config
        return gcp.container.NodePool(
            f"{self._name}-{index}",
            name=node_pool,
            cluster=args.cluster_name,
            location=args.region,
            node_locations=[config.zone],
            max_pods_per_node=MAX_PODS,
            placement_policy=self._placement(policy),
            queued_provisioning={"enabled": True} if config.queued else None,
            # A flex-start node is gone after a week anyway, and is never repaired in place.
            management={"auto_repair": config.capacity != "flex_start", "auto_upgrade": True},
            # There is no spare machine beside a slice.
            upgrade_settings={"strategy": "SURGE", "max_surge": 0, "max_unavailable": 1},
            node_config=node_config(args.pool, config, args.node_account_email),
            **_sizes(config),
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["initialNodeCount", "nodeCount"] if config.scales else None
            ),
        )

    def _placement(
        self, policy: gcp.compute.ResourcePolicy | None
    ) -> gcp.container.NodePoolPlacementPolicyArgsDict | None:
        """A slice of one machine needs no placement, and takes no topology (GKE documentation, Create TPU slices)."""
        if not self._args.config.slice.is_multi_host:
            return None
        if policy is not None:
            return {"type": "COMPACT", "policy_name": policy.name}
        return {"type": "COMPACT", "tpu_topology": self._args.config.topology}


def node_pool_names(pool: str, config: TpuPoolConfig) -> list[str]:
    """A name for each node pool: as many as slices, or one where a slice is one machine."""
    count = config.slices if config.slice.is_multi_host else 1
    return [fit(pool, str(index), limit=CLUSTER_LIMIT) for index in range(count)]


def _sizes(config: TpuPoolConfig) -> dict[str, Any]:
    """Nodes of one node pool: those of a slice come and go together, so that any other number is no slice."""
    nodes = config.slice.hosts if config.slice.is_multi_host else config.slices
    if not config.scales:
        return {"node_count": nodes}
    return {
        "initial_node_count": 0,
        "autoscaling": {"total_min_node_count": 0, "total_max_node_count": nodes, "location_policy": "ANY"},
    }


def node_config(
    pool: str, config: TpuPoolConfig, account: pulumi.Input[str]
) -> gcp.container.NodePoolNodeConfigArgsDict:
    """What a node is. GKE itself sets the labels of chips and topology."""
    found: gcp.container.NodePoolNodeConfigArgsDict = {
        "machine_type": config.machine_type,
        "disk_size_gb": config.disk_size_gb,
        "disk_type": "hyperdisk-balanced" if config.machine_type.startswith(_HYPERDISK) else "pd-balanced",
        "service_account": account,
        "oauth_scopes": [SCOPE],
        "labels": {**config.labels, POOL_LABEL: pool, **_queue_label(config), **_first_label(config)},
        "taints": _taints(config),
        "shielded_instance_config": SHIELDED,
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "reservation_affinity": _reservation(config),
    }
    if config.capacity == "spot":
        found["spot"] = True
    if config.capacity == "flex_start":
        found["flex_start"] = True
    return found


def _taints(config: TpuPoolConfig) -> list[gcp.container.NodePoolNodeConfigTaintArgsDict]:
    """GKE gives them to nodes that register, and puts back none that somebody takes off (GKE guide, node taints)."""
    keys = [str(config.machine.device_resource), *([UNVERIFIED] if config.verified else [])]
    return [{"key": key, "value": "present", "effect": "NO_SCHEDULE"} for key in keys]


def _first_label(config: TpuPoolConfig) -> dict[str, str]:
    return {UNVERIFIED: "true"} if config.verified else {}


def _queue_label(config: TpuPoolConfig) -> dict[str, str]:
    """GKE taints queued nodes by itself, and leaves the label that pods choose them by to others (cluster-toolkit)."""
    return {"cloud.google.com/gke-queued": "true"} if config.queued else {}


def _reservation(config: TpuPoolConfig) -> gcp.container.NodePoolNodeConfigReservationAffinityArgsDict:
    if not config.reservation:
        return {"consume_reservation_type": "NO_RESERVATION"}
    key = "compute.googleapis.com/reservation-name"
    return {"consume_reservation_type": "SPECIFIC_RESERVATION", "key": key, "values": [config.reservation]}
