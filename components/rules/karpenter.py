"""What Karpenter may make nodes of, where it itself runs, and what its own rules would refuse later."""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators import CATALOGUE, OFFERS_SOURCE, is_sold_in
from components.settings.karpenter import INFERENCE_FAMILIES, INFERENCE_TYPES, KarpenterPoolConfig, is_for_gangs
from components.settings.pools import UNVERIFIED, PoolConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig

# By which Karpenter knows its own machines: EC2NodeClass' definition, spec.tags.
_OWN_TAGS = (
    "eks:eks-cluster-name",
    "karpenter.sh/nodepool",
    "karpenter.sh/nodeclaim",
    "karpenter.k8s.aws/ec2nodeclass",
)
_OWN_TAGS_BEGIN = "kubernetes.io/cluster"
# NodePool's definition, spec.template.metadata.labels, whose rule is endsWith: it also refuses mykarpenter.sh.
_OWN_DOMAINS = ("karpenter.sh", "karpenter.k8s.aws")
# Beside what every private cluster needs (network.PRIVATE_CLUSTER_SERVICES): AMIs are looked up, interruptions read.
_SERVICES = ("sqs", "ssm")
_REPLICAS = 2  # of the controller: Karpenter's chart, where nothing else is said


def _conflict(name: str, *key: str | int, message: str, allowed: tuple[str, ...] = ()) -> Conflict:
    return Conflict(key=("karpenter", "pools", name, *key), message=message, allowed=allowed)


def _some_type(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if not pool.instance_types and not pool.families:
        yield _conflict(name, message="says nothing that a node could be: name instance_types or families")
    elif pool.max_cpus is not None and not pool.families:
        message = "bounds the sizes of families, and there are none: leave it out"
        yield _conflict(name, "max_cpus", message=message)
    elif pool.max_cpus is not None and not pool.types and any(one in INFERENCE_FAMILIES for one in pool.families):
        message = f"none of {', '.join(pool.families)} has {pool.max_cpus} virtual CPUs or fewer"
        yield _conflict(name, "max_cpus", message=message)


def _not_for_gangs(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    reason = (
        "is for training over many machines, which starts on all of them or not at all, near each other and out of a "
        "reservation or block; Karpenter starts nodes one by one, wherever there are any, and takes them away again: "
        "declare it in the section pools"
    )
    for index, type_ in enumerate(pool.instance_types):
        if is_for_gangs(CATALOGUE[type_]):
            yield _conflict(name, "instance_types", index, message=f"{type_} {reason}", allowed=INFERENCE_TYPES)
    for index, family in enumerate(pool.families):
        if family not in INFERENCE_FAMILIES:
            yield _conflict(name, "families", index, message=f"{family} {reason}", allowed=INFERENCE_FAMILIES)


def _sold_in_the_region(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    region = config.aws.region
    sold = tuple(type_ for type_ in INFERENCE_TYPES if is_sold_in(region, type_))
    for index, type_ in enumerate(pool.instance_types):
        if type_ in INFERENCE_TYPES and not is_sold_in(region, type_):
            message = f"{type_} is not sold in {region} ({OFFERS_SOURCE})"
            yield _conflict(name, "instance_types", index, message=message, allowed=sold)
    families = tuple(dict.fromkeys(CATALOGUE[type_].family for type_ in sold))
    for index, family in enumerate(pool.families):
        if family in INFERENCE_FAMILIES and family not in families:
            message = f"no {family} is sold in {region} ({OFFERS_SOURCE})"
            yield _conflict(name, "families", index, message=message, allowed=families)


def _of_one_kind(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    """One taint and one limit of chips a pool: else pods without chips would pin machines that have some."""
    kinds = {row.device_resource or "no chips": row.name for row in pool.types}
    if len(kinds) > 1:
        which = " and ".join(f"{kind} ({example})" for kind, example in kinds.items())
        message = f"its nodes would have {which}, and a pool's taint is of one kind: make a pool of each"
        yield _conflict(name, message=message)


def _room_for_a_node(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    rows, limits = pool.types, pool.limits
    if not rows:
        return
    if limits.chips is not None and not any(row.chips for row in rows):
        yield _conflict(name, "limits", "chips", message=f"{rows[0].name} has no chips: leave it out")
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
            yield _conflict(name, "limits", field, message=message)


def _budgets(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    for index, budget in enumerate(pool.disruption.budgets):
        if (budget.schedule is None) != (budget.duration_minutes is None):
            message = "schedule and duration_minutes go together: when it begins, and for how long it counts"
            yield _conflict(name, "disruption", "budgets", index, message=message)


def _pods_of_the_types(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.max_pods is None:
        return
    for row in pool.types:
        most = row.max_pods(0)
        if most is not None and pool.max_pods > most:
            message = f"{pool.max_pods} pods are too many: {most} get an address on {row.name}"
            yield _conflict(name, "max_pods", message=message)
            return


def _labels(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    for label in pool.labels:
        domain = label.partition("/")[0] if "/" in label else ""
        if domain.endswith(_OWN_DOMAINS) or label == "kubernetes.io/hostname":
            yield _conflict(
                name, "labels", label, message="Karpenter gives nodes this label itself, and refuses it here"
            )


def _unverified_for_good(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    message = (
        f"{UNVERIFIED} is put on and taken off by the checks; Karpenter would take what stands here for a part of each "
        "node for good: say verified: true"
    )
    if UNVERIFIED in pool.labels:
        yield _conflict(name, "labels", UNVERIFIED, message=message)
    for index, taint in enumerate(pool.taints):
        if taint.key == UNVERIFIED:
            yield _conflict(name, "taints", index, "key", message=message)


def _checks_without_chips(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.verified and pool.types and pool.device_resource:
        message = (
            f"the check's pod takes all {pool.device_resource} of a new node, and Karpenter counts them as taken: for "
            "pods that wait it would start node after node, up to the pool's limits, until the first is checked. Leave "
            "verified out, or declare the machines in the section pools"
        )
        yield _conflict(name, "verified", message=message)


def _another_name(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if name in config.pools:
        message = f"pools has a {name} already, and pods choose a pool by its name: take another one"
        yield _conflict(name, message=message)


def _holds_the_controller(pool: PoolConfig) -> bool:
    """The controller's pods tolerate neither an accelerator's taint nor others."""
    kept_away = any(taint.effect != "PreferNoSchedule" for taint in pool.taints)
    return not pool.instance.chips and not kept_away


def _somewhere_to_run(config: StackConfig) -> Iterator[Conflict]:
    """With one node the second replica would wait for ever, and while that node is replaced nobody starts others."""
    if not config.karpenter:
        return
    nodes = sum(pool.initial_size for pool in config.pools.values() if _holds_the_controller(pool))
    if nodes < _REPLICAS:
        message = (
            "Karpenter does not run on nodes that it makes, and its two replicas never share one: they need two nodes "
            f"of pools without accelerators and taints in the section pools, which has {nodes or 'none'}"
        )
        yield Conflict(key=("karpenter",), message=message)


def _no_way_out(config: StackConfig) -> Iterator[Conflict]:
    missing = [service for service in _SERVICES if service not in config.network.services]
    if config.karpenter and config.network.nat == "none" and missing:
        message = f"without a NAT gateway Karpenter also needs private endpoints of {', '.join(missing)}"
        field = "endpoint_services" if config.network.endpoint_services else "nat"
        yield Conflict(key=("network", field), message=message)


def _tags(config: StackConfig) -> Iterator[Conflict]:
    if not config.karpenter:
        return
    for tag in config.tags:
        if tag in _OWN_TAGS or tag.startswith(_OWN_TAGS_BEGIN):
            yield Conflict(key=("tags", tag), message="Karpenter knows its machines by this tag, and sets it itself")


RULES = (_somewhere_to_run, _no_way_out, _tags)
POOL_RULES = (
    _some_type,
    _not_for_gangs,
    _sold_in_the_region,
    _of_one_kind,
    _room_for_a_node,
    _budgets,
    _pods_of_the_types,
    _labels,
    _unverified_for_good,
    _checks_without_chips,
    _another_name,
)
