"""What Karpenter is told of a pool, as plain objects of its own kinds: what nodes may be, and how they are made.

An ``EC2NodeClass`` says what a machine's disk, image, network and role are: what a launch template says for a node
group, with the same values. A ``NodePool`` says which types it may be, how many there may be, and when they go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from .accelerators import Vendor
from .launch_template import FIRST_LABEL, node_config
from .naming import NODES_TAG, component_type
from .node_group import POOL_LABEL
from .releases import AMI_RELEASES
from .settings import UNVERIFIED, KarpenterConfig, KarpenterPoolConfig, Taint
from .settings.karpenter import DisruptionBudgetConfig

CORE, AWS = "karpenter.sh/v1", "karpenter.k8s.aws/v1"
CAPACITY_LABEL, TYPE_LABEL = "karpenter.sh/capacity-type", "node.kubernetes.io/instance-type"
_CAPACITIES = {"on_demand": "on-demand", "spot": "spot"}
_CONSOLIDATION = {"when_empty": "WhenEmpty", "when_empty_or_underutilized": "WhenEmptyOrUnderutilized"}
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
_END_MINUTES = 20  # after a node is empty: its machine ends, and Karpenter takes the node's object away
_PATIENCE_MINUTES = 60  # with nodes that their pods may hold without limit, before the run tells so


@dataclass(frozen=True, kw_only=True)
class KarpenterPoolsArgs:
    """Arguments of :class:`KarpenterPools`.

    Attributes:
        name: the data centre's.
        instance_profile_name: what gives machines their role.
        subnet_ids: where they may be.
        security_group_id: the group that every node is in.
        key_arn: the KMS key of their disks.
        tags: on the machines.
    """

    name: str
    config: KarpenterConfig
    kubernetes_version: str
    instance_profile_name: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


class KarpenterPools(pulumi.ComponentResource):
    """A NodePool and its EC2NodeClass for each pool; their deletion waits until Karpenter has ended their nodes.

    It waits as long as pods may hold a node and 20 minutes more; an hour where ``drain_minutes`` bounds nothing.

    Attributes:
        pool_names: the NodePools.
    """

    pool_names: list[str]

    def __init__(self, name: str, args: KarpenterPoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(KarpenterPools), name, None, opts)
        self._name, self._args = name, args
        for pool, config in args.config.pools.items():
            timeouts = pulumi.CustomTimeouts(delete=f"{deletion_minutes(config)}m")
            opts = pulumi.ResourceOptions(parent=self, custom_timeouts=timeouts)
            made = self._create(f"class-{pool}", AWS, "EC2NodeClass", pool, self._class(pool, config), opts)
            after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[made]))
            self._create(f"pool-{pool}", CORE, "NodePool", pool, node_pool(pool, config), after)
        self.pool_names = list(args.config.pools)
        self.register_outputs({"pool_names": self.pool_names})

    def _class(self, pool: str, config: KarpenterPoolConfig) -> dict[str, Any]:
        args = self._args
        release = config.ami_release or AMI_RELEASES[args.kubernetes_version]
        tags = {**args.tags, NODES_TAG: args.name, "Name": f"{args.name}-{pool}"}
        return {
            **node_class(config, release, args.key_arn),
            "instanceProfile": args.instance_profile_name,
            "subnetSelectorTerms": [{"id": id} for id in args.subnet_ids],
            "securityGroupSelectorTerms": [{"id": args.security_group_id}],
            "tags": tags,
        }

    def _create(
        self, child: str, api: str, kind: str, name: str, spec: dict[str, Any], opts: pulumi.ResourceOptions
    ) -> pulumi.CustomResource:
        """An object of Karpenter's, for which the SDK has no classes."""
        return pulumi.CustomResource(
            f"kubernetes:{api}:{kind}",
            f"{self._name}-{child}",
            {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec},
            opts,
        )


def deletion_minutes(config: KarpenterPoolConfig) -> int:
    """For how long a run waits for the objects of a pool to be gone, minutes; it would give up after ten of itself."""
    return _PATIENCE_MINUTES if config.drain_minutes is None else config.drain_minutes + _END_MINUTES


def node_class(config: KarpenterPoolConfig, ami_release: str, key_arn: pulumi.Input[str]) -> dict[str, Any]:
    """What machines of a pool have, wherever they are.

    A release such as 1.34.2-20260128 is the alias v20260128: Karpenter takes the image of that day for the cluster's
    version and the chips of the type that it has chosen. Disks and most pods are said here and not in user data, where
    Karpenter would not see them: it reckons with both when it chooses a type.
    """
    disk = {
        "volumeSize": f"{config.disk_size_gb}Gi",
        "volumeType": "gp3",
        "encrypted": True,
        "kmsKeyID": key_arn,
        "deleteOnTermination": True,
    }
    found: dict[str, Any] = {
        "amiSelectorTerms": [{"alias": f"al2023@v{ami_release.rpartition('-')[2]}"}],
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "rootVolume": True, "ebs": disk}],
        # One hop: pods cannot take the node's role; they have Pod Identity.
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
    }
    if any(row.nvme for row in config.types):
        found["instanceStorePolicy"] = "RAID0"
    if config.max_pods is not None:
        found["kubelet"] = {"maxPods": config.max_pods}
    if config.verified:
        # Not among the NodePool's labels: Karpenter would count the check's pod for one that stays on every node.
        found["userData"] = node_config({"kubelet": FIRST_LABEL})
    return found


def node_pool(name: str, config: KarpenterPoolConfig) -> dict[str, Any]:
    """Which nodes, how many, for whom, and when they go."""
    spec: dict[str, Any] = {
        "nodeClassRef": {"group": AWS.partition("/")[0], "kind": "EC2NodeClass", "name": name},
        "requirements": requirements(config),
        "expireAfter": "Never" if config.expire_hours is None else f"{config.expire_hours}h",
    }
    if found := taints(config):
        spec["taints"] = [_taint(taint) for taint in found]
    if config.verified:  # Karpenter knows that something else takes it off, and waits with the node's pods
        spec["startupTaints"] = [_taint(Taint(key=UNVERIFIED))]
    if config.drain_minutes is not None:
        spec["terminationGracePeriod"] = f"{config.drain_minutes}m"
    pool: dict[str, Any] = {
        "template": {"metadata": {"labels": {**config.labels, POOL_LABEL: name}}, "spec": spec},
        "limits": _limits(config),
        "disruption": _disruption(config),
    }
    return pool if config.weight is None else {**pool, "weight": config.weight}


def requirements(config: KarpenterPoolConfig) -> list[dict[str, Any]]:
    """Types by name, so that only what the catalogue knows is ever bought."""
    wanted = {
        TYPE_LABEL: [row.name for row in config.types],
        CAPACITY_LABEL: [_CAPACITIES[one] for one in dict.fromkeys(config.capacities)],
        "kubernetes.io/arch": list(dict.fromkeys(_ARCHITECTURES[row.architecture] for row in config.types)),
        "kubernetes.io/os": ["linux"],
    }
    return [{"key": key, "operator": "In", "values": values} for key, values in wanted.items()]


def taints(config: KarpenterPoolConfig) -> list[Taint]:
    """As on pools of node groups: an accelerator pool keeps away every pod that does not ask for its chips."""
    own = config.device_resource
    return [*([Taint(key=own, value="present")] if own else []), *config.taints]


def _taint(taint: Taint) -> dict[str, str]:
    """Karpenter's definition takes no empty value."""
    found = {"key": taint.key, "effect": taint.effect}
    return {**found, "value": taint.value} if taint.value else found


def _limits(config: KarpenterPoolConfig) -> dict[str, str]:
    limits = config.limits
    found = {"cpu": str(limits.cpus)}
    if limits.memory_gib is not None:
        found["memory"] = f"{limits.memory_gib}Gi"
    if limits.chips is not None and config.device_resource:
        found[config.device_resource] = str(limits.chips)
    return found


def _disruption(config: KarpenterPoolConfig) -> dict[str, Any]:
    its = config.disruption
    found = {
        "consolidationPolicy": _CONSOLIDATION[its.consolidation],
        "consolidateAfter": f"{its.consolidate_after_s}s",
    }
    return {**found, "budgets": [_budget(budget) for budget in its.budgets]} if its.budgets else found


def _budget(budget: DisruptionBudgetConfig) -> dict[str, Any]:
    found: dict[str, Any] = {"nodes": budget.nodes}
    if budget.reasons:
        found["reasons"] = [reason.capitalize() for reason in dict.fromkeys(budget.reasons)]
    if budget.schedule is not None:
        found |= {"schedule": budget.schedule, "duration": f"{budget.duration_minutes}m"}
    return found


def pools_of(config: KarpenterConfig | None, vendor: Vendor) -> list[str]:
    """The pools with chips of one maker, whose nodes need what drives them."""
    return [name for name, pool in (config.pools if config else {}).items() if pool.types[0].vendor is vendor]
