"""Whose work runs where: a namespace for each team with what it may use, priorities, and, where there is Kueue, queues.

Namespaces, quotas, limits and priority classes are Kubernetes' own and stand without anything installed. Kueue's
objects are declared only where the stack file says which release of it is in the cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from . import kueue, namespaces
from .naming import component_type
from .quotas import amounts, capacity, quantity, total, units_of
from .settings import PoolConfig, SchedulingConfig, TeamConfig

# Of containers that say nothing: a namespace with a quota takes no pod without requests.
_DEFAULT_REQUESTS = {"cpu": "100m", "memory": "256Mi"}


@dataclass(frozen=True, kw_only=True)
class SchedulingArgs:
    """Arguments of :class:`Scheduling`.

    Attributes:
        name: the data centre's, which the cohort of the teams bears.
        pools: by name, in their order.
    """

    name: str
    config: SchedulingConfig
    pools: dict[str, PoolConfig]
    vpc_cidr: str


class Scheduling(pulumi.ComponentResource):
    """Teams, quotas, priorities and queues.

    Attributes:
        teams: for each its fields of :class:`components.outputs.TeamOutputs`.
    """

    teams: list[dict[str, Any]]

    def __init__(self, name: str, args: SchedulingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Scheduling), name, None, opts)
        self._name, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        self._create_priorities()
        if args.config.kueue:
            self._create_shared_queues()
        self.teams = [self._create_team(team, its) for team, its in args.config.teams.items()]
        self.register_outputs({"teams": self.teams})

    def _create_priorities(self) -> None:
        for name, one in self._args.config.priorities.items():
            kubernetes.scheduling.v1.PriorityClass(
                f"{self._name}-priority-{name}",
                metadata={"name": name},
                value=one.value,
                global_default=one.default,
                preemption_policy="PreemptLowerPriority" if one.preempts else "Never",
                opts=self._child,
            )
            if self._args.config.kueue:
                self._create_custom(f"work-priority-{name}", "WorkloadPriorityClass", name, value=one.value)

    def _create_shared_queues(self) -> None:
        args, shared = self._args, list[pulumi.Resource]()
        if args.config.topology:
            shared.append(self._create_custom("topology", "Topology", kueue.TOPOLOGY, kueue.topology()))
        flavours = [
            self._create_custom(
                f"flavour-{name}",
                "ResourceFlavor",
                name,
                kueue.flavour(name, pool, by_topology=args.config.topology),
                after=shared,
            )
            for name, pool in args.pools.items()
        ]
        cohort = kueue.cohort(args.config, args.pools)
        self._queues_after = [self._create_custom("cohort", "Cohort", args.name, cohort, after=flavours)]

    def _create_team(self, team: str, config: TeamConfig) -> dict[str, Any]:
        level = self._level(config)
        labels = {kueue.TEAM_LABEL: team}
        namespace = namespaces.create_namespace(f"{self._name}-{team}", team, level, self._child, labels)
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        # A service of the team's adds whom it lets in.
        egress = namespaces.in_aws(self._args.vpc_cidr)
        namespaces.confine(f"{self._name}-{team}", team, {}, inside, egress=egress)
        kubernetes.core.v1.ResourceQuota(
            f"{self._name}-{team}-quota",
            metadata={"name": "team", "namespace": team},
            spec={"hard": self._ceiling(config)},
            opts=inside,
        )
        kubernetes.core.v1.LimitRange(
            f"{self._name}-{team}-limits",
            metadata={"name": "team", "namespace": team},
            spec={"limits": [{"type": "Container", "default_request": _DEFAULT_REQUESTS}]},
            opts=inside,
        )
        if self._args.config.kueue:
            self._create_queues(team, config, namespace)
        queue = kueue.LOCAL_QUEUE if self._args.config.kueue else None
        return {"name": team, "namespace": team, "queue": queue}

    def _level(self, config: TeamConfig) -> namespaces.Level:
        """Pods with EFA may need to lock memory, and only the widest level lets them."""
        with_fabric = any(self._args.pools[name].adapters for name in config.quotas)
        return "privileged" if with_fabric else "baseline"

    def _ceiling(self, config: TeamConfig) -> dict[str, str]:
        """What the namespace may ask for: its own part, or all of its pools where it may borrow."""
        may_borrow = self._args.config.kueue is not None and config.borrows
        parts = (
            capacity(pool) if may_borrow else amounts(pool, units_of(pool, config.quotas[name]))
            for name, pool in self._args.pools.items()
            if name in config.quotas
        )
        hard = {f"requests.{name}": quantity(name, amount) for name, amount in total(parts).items() if _counts(name)}
        return hard if config.max_pods is None else {**hard, "pods": str(config.max_pods)}

    def _create_queues(self, team: str, config: TeamConfig, namespace: pulumi.Resource) -> None:
        args = self._args
        spec = kueue.cluster_queue(team, config, args.pools, args.name)
        queue = self._create_custom(f"{team}-cluster-queue", "ClusterQueue", team, spec, after=self._queues_after)
        local = {"clusterQueue": team}
        name = kueue.LOCAL_QUEUE
        self._create_custom(f"{team}-queue", "LocalQueue", name, local, after=[queue, namespace], namespace=team)

    def _create_custom(
        self,
        child: str,
        kind: str,
        name: str,
        spec: dict[str, Any] | None = None,
        *,
        after: Sequence[pulumi.Resource] | None = None,
        namespace: str | None = None,
        value: int | None = None,
    ) -> pulumi.CustomResource:
        """An object of Kueue's, for which the SDK has no classes; ``value``: a priority class has no spec."""
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        body = {"spec": spec} if value is None else {"value": value}
        return pulumi.CustomResource(
            f"kubernetes:{kueue.API}:{kind}",
            f"{self._name}-{child}",
            {"apiVersion": kueue.API, "kind": kind, "metadata": metadata, **body},
            pulumi.ResourceOptions(parent=self, depends_on=after),
        )


def _counts(resource: str) -> bool:
    """Chips, CPU and memory: fabric and huge pages go with the chips, and are in the queue's quota."""
    return resource in ("cpu", "memory") or resource.endswith((".com/gpu", ".com/neuron"))
