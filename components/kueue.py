"""What Kueue is told: flavours, queues, the cohort and priorities, as plain objects of its API v1beta2.

Kueue takes a job in when its quota has room for all of its pods, and not before; so a gang starts whole. That it also
gives the room back when the pods do not all get ready is Kueue's own configuration (``waitForPodsReady``), which is
of whoever installs it. A JobSet is one such job, and needs no object here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .node_group import POOL_LABEL, taints
from .quotas import Amounts, amounts, quantity, spare, units_of
from .settings import PoolConfig, SchedulingConfig, TeamConfig

API = "kueue.x-k8s.io/v1beta2"
TEAM_LABEL = "ai-datacenter/team"
TOPOLOGY = "aws-network"
LOCAL_QUEUE = "default"  # the queue of work that names none (Kueue, "Local Queue", defaulting)
# From far to near; EKS labels the nodes of types that EC2 knows the network of (EC2 guide, "Instance topology").
_LEVELS = (
    *(f"topology.k8s.aws/network-node-layer-{layer}" for layer in (1, 2, 3)),
    "kubernetes.io/hostname",
)


def topology() -> dict[str, Any]:
    """How near nodes are to each other."""
    return {"levels": [{"nodeLabel": label} for label in _LEVELS]}


def flavour(name: str, pool: PoolConfig, *, by_topology: bool) -> dict[str, Any]:
    """A pool. Its taints are told, so that only work that tolerates them is taken in for its nodes."""
    found = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in taints(pool)]
    spec: dict[str, Any] = {"nodeLabels": {POOL_LABEL: name}}
    if found:
        spec["nodeTaints"] = found
    return {**spec, "topologyName": TOPOLOGY} if by_topology and pool.adapters else spec


def cluster_queue(team: str, config: TeamConfig, pools: Mapping[str, PoolConfig], cohort: str) -> dict[str, Any]:
    """A team's queue, with its pools in the order of the stack file, which is the order in which Kueue tries them.

    What a team has lent comes back at once; within the team higher priorities push out lower ones.
    """
    limits = {
        **({} if config.borrows else {"borrowingLimit": "0"}),
        **({} if config.lends else {"lendingLimit": "0"}),
    }
    shares = {
        name: amounts(pool, units_of(pool, config.quotas[name]))
        for name, pool in pools.items()
        if name in config.quotas
    }
    return {
        "cohortName": cohort,
        "namespaceSelector": {"matchLabels": {TEAM_LABEL: team}},
        "preemption": {"reclaimWithinCohort": "Any", "withinClusterQueue": "LowerPriority"},
        "resourceGroups": [_group(shares, limits)],
    }


def cohort(config: SchedulingConfig, pools: Mapping[str, PoolConfig]) -> dict[str, Any]:
    """All teams together; what no team was promised is everybody's to borrow."""
    promised = {name: [team.quotas[name] for team in config.teams.values() if name in team.quotas] for name in pools}
    return {"resourceGroups": [_group({name: spare(pool, promised[name]) for name, pool in pools.items()}, {})]}


def _group(shares: Mapping[str, Amounts], limits: Mapping[str, str]) -> dict[str, Any]:
    """Flavours in one group cover the same resources: of what a pool does not have there is 0."""
    covered = _union(shares.values())
    return {
        "coveredResources": covered,
        "flavors": [
            {
                "name": pool,
                "resources": [
                    {"name": name, "nominalQuota": quantity(name, share.get(name, 0)), **limits} for name in covered
                ],
            }
            for pool, share in shares.items()
        ],
    }


def _union(shares: Iterable[Amounts]) -> list[str]:
    return list(dict.fromkeys(name for share in shares for name in share))
