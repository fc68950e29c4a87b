"""What a pool of Karpenter's may not be: rules between its values, the catalogue, and what Karpenter does."""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators import CATALOGUE

from .karpenter import (
    INFERENCE_FAMILIES,
    INFERENCE_TYPES,
    DisruptionBudgetConfig,
    KarpenterPoolConfig,
    is_for_gangs,
    of_the_same_maker,
)
from .pools import UNVERIFIED
from .section import Conflict, rule_of

# NodePool's definition, spec.template.metadata.labels, whose rule is endsWith: it also refuses mykarpenter.sh.
_OWN_DOMAINS = ("karpenter.sh", "karpenter.k8s.aws")


@rule_of(KarpenterPoolConfig)
def _some_type(pool: KarpenterPoolConfig) -> Iterator[Conflict]:
    if not pool.instance_types and not pool.families:
        yield Conflict(key=(), message="says nothing that a node could be: name instance_types or families")
    elif pool.max_cpus is not None and not pool.families:
        message = "bounds the sizes of families, and there are none: leave it out"
        yield Conflict(key=("max_cpus",), message=message)
    elif pool.max_cpus is not None and not pool.types and any(one in INFERENCE_FAMILIES for one in pool.families):
        message = f"none of {', '.join(pool.families)} has {pool.max_cpus} virtual CPUs or fewer"
        yield Conflict(key=("max_cpus",), message=message)


@rule_of(KarpenterPoolConfig)
def _not_for_gangs(pool: KarpenterPoolConfig) -> Iterator[Conflict]:
    reason = (
        "is for training over many machines, which starts on all of them or not at all, near each other and out of a "
        "reservation or block; Karpenter starts nodes one by one, wherever there are any, and takes them away again: "
        "declare it in the section pools"
    )
    for index, type_ in enumerate(pool.instance_types):
        if is_for_gangs(CATALOGUE[type_]):
            allowed = of_the_same_maker(type_, INFERENCE_TYPES)
            yield Conflict(key=("instance_types", index), message=f"{type_} {reason}", allowed=allowed)
    for index, family in enumerate(pool.families):
        if family not in INFERENCE_FAMILIES:
            yield Conflict(key=("families", index), message=f"{family} {reason}", allowed=INFERENCE_FAMILIES)


@rule_of(KarpenterPoolConfig)
def _of_one_kind(pool: KarpenterPoolConfig) -> Iterator[Conflict]:
    """One taint and one limit of chips a pool: else pods without chips would pin machines that have some."""
    kinds = {row.device_resource or "no chips": row.name for row in pool.types}
    if len(kinds) > 1:
        which = " and ".join(f"{kind} ({example})" for kind, example in kinds.items())
        message = f"its nodes would have {which}, and a pool's taint is of one kind: make a pool of each"
        yield Conflict(key=(), message=message)


@rule_of(KarpenterPoolConfig)
def _room_for_a_node(pool: KarpenterPoolConfig) -> Iterator[Conflict]:
    rows, limits = pool.types, pool.limits
    if not rows:
        return
    if limits.chips is not None and not any(row.chips for row in rows):
        yield Conflict(key=("limits", "chips"), message=f"{rows[0].name} has no chips: leave it out")
        return
    least = {
        "cpus": min(row.vcpus for row in rows),
        "memory_gib": min(row.memory_gib for row in rows),
        "chips": min(row.chips for row in rows),
    }
    for field, one in least.items():
        most = getattr(limits, field)
        if most is not None and most < one:
            message = f"{most} leaves no room for a single node: the smallest of the pool's types has {one}"
            yield Conflict(key=("limits", field), message=message)


@rule_of(KarpenterPoolConfig)
def _pods_of_the_types(pool: KarpenterPoolConfig) -> Iterator[Conflict]:
    if pool.max_pods is None:
        return
    for row in pool.types:
        most = row.max_pods(0)
        if most is not None and pool.max_pods > most:
            message = f"{pool.max_pods} pods are too many: {most} get an address on {row.name}"
            yield Conflict(key=("max_pods",), message=message)
            return


@rule_of(KarpenterPoolConfig)
def _labels(pool: KarpenterPoolConfig) -> Iterator[Conflict]:
    for label in pool.labels:
        domain = label.partition("/")[0] if "/" in label else ""
        if domain.endswith(_OWN_DOMAINS) or label == "kubernetes.io/hostname":
            yield Conflict(
                key=("labels", label), message="Karpenter gives nodes this label itself, and refuses it here"
            )


@rule_of(KarpenterPoolConfig)
def _unverified_for_good(pool: KarpenterPoolConfig) -> Iterator[Conflict]:
    message = (
        f"{UNVERIFIED} is put on and taken off by the checks; Karpenter would take what stands here for a part of each "
        "node for good: say verified: true"
    )
    if UNVERIFIED in pool.labels:
        yield Conflict(key=("labels", UNVERIFIED), message=message)
    for index, taint in enumerate(pool.taints):
        if taint.key == UNVERIFIED:
            yield Conflict(key=("taints", index, "key"), message=message)


@rule_of(KarpenterPoolConfig)
def _checks_without_chips(pool: KarpenterPoolConfig) -> Iterator[Conflict]:
    if pool.verified and pool.types and pool.device_resource:
        message = (
            f"the check's pod takes all {pool.device_resource} of a new node, and Karpenter counts them as taken: for "
            "pods that wait it would start node after node, up to the pool's limits, until the first is checked. Leave "
            "verified out, or declare the machines in the section pools"
        )
        yield Conflict(key=("verified",), message=message)


@rule_of(DisruptionBudgetConfig)
def _times_of_a_budget(budget: DisruptionBudgetConfig) -> Iterator[Conflict]:
    if (budget.schedule is None) != (budget.duration_minutes is None):
        message = "schedule and duration_minutes go together: when it begins, and for how long it counts"
        yield Conflict(key=(), message=message)
