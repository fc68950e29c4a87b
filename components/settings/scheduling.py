"""Whose work runs where, how much of it, and what goes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from .section import Conflict, Section, rule_of
from .values import Name

# Kubernetes, "Pod Priority and Preemption": values above are for what the system itself cannot do without.
HIGHEST_PRIORITY = 1_000_000_000
# Namespaces that somebody else has; of kube-… all are the cluster's own.
TAKEN_NAMESPACES = ("default", "smoke-test", "data-pipeline", "node-verification", "kueue-system", "jobset-system")


class PriorityConfig(Section):
    """A class of priority, for pods and (where there is Kueue) for queued work."""

    value: int = Field(ge=-(2**31), le=2**31 - 1, description="The higher one goes first.")
    preempts: bool = Field(default=True, description="Whether its pods may push out those of lower classes.")
    default: bool = Field(default=False, description="Of pods that name no class.")


class QuotaConfig(Section):
    """What a team has of one pool: whole nodes, or chips with their part of the node."""

    nodes: int | None = Field(default=None, ge=0, le=5000, description="Nodes; 0: none of its own, only borrowed ones.")
    chips: int | None = Field(default=None, ge=0, le=100_000, description="Accelerator chips, in place of nodes.")


class TeamConfig(Section):
    """A team: a namespace of its name, with what it may use."""

    quotas: dict[Name, QuotaConfig] = Field(min_length=1, description="Its part of each pool that it may use.")
    borrows: bool = Field(default=True, description="It may use what others leave unused of these pools; needs Kueue.")
    lends: bool = Field(default=True, description="Others may use what it leaves unused; it gets it back at once.")
    max_pods: int | None = Field(default=None, ge=1, le=100_000, description="Most pods; absent: not limited.")


class SchedulingConfig(Section):
    """Teams, their quotas, and priorities. Without Kueue a quota bounds a namespace, and nothing queues."""

    teams: dict[Name, TeamConfig] = Field(default_factory=dict, description="Teams by name, which is their namespace.")
    priorities: dict[Name, PriorityConfig] = Field(default_factory=dict, description="Priority classes by name.")
    kueue: Literal["0.17"] | None = Field(
        default=None,
        description="The release of Kueue in the cluster, which is not installed from here; absent: none, and "
        "nothing of its kinds is declared.",
    )
    topology: bool = Field(
        default=False,
        description="Kueue places the pods of one job close together on the network, on pools with EFA.",
    )


@rule_of(SchedulingConfig)
def _namespaces(scheduling: SchedulingConfig) -> Iterator[Conflict]:
    for team in scheduling.teams:
        if team in TAKEN_NAMESPACES or team.startswith("kube-"):
            message = f"the namespace {team} is not a team's: give the team another name"
            yield Conflict(key=("teams", team), message=message)


@rule_of(SchedulingConfig)
def _priorities(scheduling: SchedulingConfig) -> Iterator[Conflict]:
    priorities = scheduling.priorities
    default = next((name for name, one in priorities.items() if one.default), None)
    for name, one in priorities.items():
        key = ("priorities", name)
        if one.value > HIGHEST_PRIORITY:
            message = (
                f"{one.value} would go before what the cluster itself needs (system-cluster-critical, "
                f"system-node-critical): at most {HIGHEST_PRIORITY}"
            )
            yield Conflict(key=(*key, "value"), message=message)
        if name.startswith("system-"):
            yield Conflict(key=key, message="names that begin with system- are Kubernetes' own")
        if one.default and name != default:
            yield Conflict(key=(*key, "default"), message=f"{default} is the default already")


@rule_of(SchedulingConfig)
def _topology_of_kueue(scheduling: SchedulingConfig) -> Iterator[Conflict]:
    if scheduling.topology and scheduling.kueue is None:
        message = "it is Kueue that places by the network: say with kueue which release is installed"
        yield Conflict(key=("topology",), message=message)


@rule_of(QuotaConfig)
def _nodes_or_chips(quota: QuotaConfig) -> Iterator[Conflict]:
    if (quota.nodes is None) == (quota.chips is None):
        yield Conflict(key=(), message="says nodes or chips, one of the two")
