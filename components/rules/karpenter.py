"""What Karpenter may make nodes of, where it itself runs, and what its own rules would refuse later."""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators import CATALOGUE, OFFERS_SOURCE, is_sold_in
from components.settings.karpenter import INFERENCE_FAMILIES, INFERENCE_TYPES, KarpenterPoolConfig, of_the_same_maker
from components.settings.pools import PoolConfig
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
# Beside what every private cluster needs (network.PRIVATE_CLUSTER_SERVICES): AMIs are looked up, interruptions read.
_SERVICES = ("sqs", "ssm")
_REPLICAS = 2  # of the controller: Karpenter's chart, where nothing else is said


def _conflict(name: str, *key: str | int, message: str, allowed: tuple[str, ...] = ()) -> Conflict:
    return Conflict(key=("karpenter", "pools", name, *key), message=message, allowed=allowed)


def _sold_in_the_region(name: str, pool: KarpenterPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    region = config.aws.region
    sold = tuple(type_ for type_ in INFERENCE_TYPES if is_sold_in(region, type_))
    for index, type_ in enumerate(pool.instance_types):
        if type_ in INFERENCE_TYPES and not is_sold_in(region, type_):
            message = f"{type_} is not sold in {region} ({OFFERS_SOURCE})"
            yield _conflict(name, "instance_types", index, message=message, allowed=of_the_same_maker(type_, sold))
    families = tuple(dict.fromkeys(CATALOGUE[type_].family for type_ in sold))
    for index, family in enumerate(pool.families):
        if family in INFERENCE_FAMILIES and family not in families:
            message = f"no {family} is sold in {region} ({OFFERS_SOURCE})"
            yield _conflict(name, "families", index, message=message, allowed=families)


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
POOL_RULES = (_sold_in_the_region, _another_name)
