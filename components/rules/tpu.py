"""What a TPU slice and its cluster may not be: rules between values, the catalogue and where Google sells what.

Source where none is named: GKE documentation, Plan TPUs in GKE, and what GoogleCloudPlatform/cluster-toolkit asserts in
its module gke-node-pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from components.accelerators import CATALOGUE, TPU_TYPES
from components.accelerators.slices import makers, nearest, slice_of
from components.accelerators.tpu_zones import ZONES_SOURCE, region_of, zones_with
from components.settings.pools import UNVERIFIED
from components.settings.section import Conflict
from components.settings.stack import StackConfig
from components.settings.tpu import PODS_PREFIX, TpuConfig, TpuPoolConfig

_TAKEN_OF_A_SUBNET = 4  # addresses that Google keeps of every range
_ROWS = tuple(CATALOGUE[name] for name in TPU_TYPES)


def _topology_of_the_type(name: str, pool: TpuPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if slice_of(pool.machine, pool.topology):
        return
    others = makers(pool.topology, _ROWS)
    instead = f"; {', '.join(others)} make it" if others else ", and no other machine type does"
    message = f"{pool.machine_type} makes no slice of {pool.topology}{instead}"
    allowed = nearest(pool.machine, pool.topology)
    yield Conflict(key=("tpu", "pools", name, "topology"), message=message, allowed=allowed, value=allowed[0])


def _zone_with_the_chips(name: str, pool: TpuPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    assert config.tpu is not None
    key, chip = ("tpu", "pools", name, "zone"), pool.machine.chip
    zones = zones_with(chip.name) if chip else None
    if region_of(pool.zone) != config.tpu.region:
        here = tuple(zone for zone in zones or () if region_of(zone) == config.tpu.region)
        message = f"{pool.zone} is not in tpu.region {config.tpu.region}, where the cluster is"
        yield Conflict(key=key, message=message, allowed=here)
    elif chip and zones is not None and pool.zone not in zones:
        message = f"{pool.zone} has no {chip.name} ({ZONES_SOURCE})"
        yield Conflict(key=key, message=message, allowed=zones)


def _reservation(name: str, pool: TpuPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    key = ("tpu", "pools", name)
    if pool.capacity == "reservation" and not pool.reservation:
        yield Conflict(key=(*key, "capacity"), message="reservation needs the reservation's name beside it")
    elif pool.capacity != "reservation" and pool.reservation:
        message = f"{pool.capacity} nodes use no reservation: take capacity reservation, or leave it out"
        yield Conflict(key=(*key, "reservation"), message=message)


def _queued(name: str, pool: TpuPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.queued and pool.capacity not in ("flex_start", "on_demand"):
        message = f"queued provisioning gets neither spot nor reserved nodes, and capacity is {pool.capacity}"
        yield Conflict(key=("tpu", "pools", name, "queued"), message=message)


def _verified(name: str, pool: TpuPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    key, found = ("tpu", "pools", name, "verified"), slice_of(pool.machine, pool.topology)
    if not pool.verified or found is None:  # the topology's own rule tells it
        return
    if found.is_multi_host:
        message = (
            f"a slice of {found.hosts} machines cannot be checked one by one, for the chips of a machine start only "
            "together with all others of their slice. Leave verified out; the smoke test looks at whole slices"
        )
        yield Conflict(key=key, message=message)
    elif pool.scales:
        message = (
            "these nodes come when a pod waits, and GKE's autoscaler would start none for a pod that does not tolerate "
            f"{UNVERIFIED}, for nobody can tell it that the taint goes. Leave verified out, or have the slices stay"
        )
        yield Conflict(key=key, message=message)


def _unverified_for_good(name: str, pool: TpuPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if UNVERIFIED in pool.labels:
        message = f"{UNVERIFIED} is put on and taken off by the checks: say verified: true"
        yield Conflict(key=("tpu", "pools", name, "labels", UNVERIFIED), message=message)


def _ranges_apart(config: StackConfig) -> Iterator[Conflict]:
    if not config.tpu:
        return
    names = ("nodes_cidr", "pods_cidr", "services_cidr")
    for index, name in enumerate(names):
        for other in names[:index]:
            one, two = getattr(config.tpu, name), getattr(config.tpu, other)
            if one.overlaps(two):
                yield Conflict(key=("tpu", name), message=f"{one} and tpu.{other} {two} overlap")


def _ranges_private(config: StackConfig) -> Iterator[Conflict]:
    private = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
    for name in ("nodes_cidr", "pods_cidr", "services_cidr") if config.tpu else ():
        cidr = getattr(config.tpu, name)
        if not any(cidr.subnet_of(block) for block in private):
            message = f"{cidr} must be within one of {', '.join(map(str, private))}"
            yield Conflict(key=("tpu", name), message=message)


def _nodes(tpu: TpuConfig) -> int:
    return sum(pool.hosts for pool in tpu.pools.values()) + tpu.system_nodes


def _room_for_nodes(config: StackConfig) -> Iterator[Conflict]:
    if config.tpu:
        nodes, room = _nodes(config.tpu), config.tpu.nodes_cidr.num_addresses - _TAKEN_OF_A_SUBNET
        if nodes > room:
            message = (
                f"{config.tpu.nodes_cidr} has addresses for {max(room, 0)} nodes, and the pools take up to {nodes}"
            )
            yield Conflict(key=("tpu", "nodes_cidr"), message=message)


def _room_for_pods(config: StackConfig) -> Iterator[Conflict]:
    if config.tpu:
        nodes, room = _nodes(config.tpu), config.tpu.pods_cidr.num_addresses >> (32 - PODS_PREFIX)
        if nodes > room:
            message = (
                f"{config.tpu.pods_cidr} has addresses for the pods of {room} nodes (a /{PODS_PREFIX} each), and the "
                f"pools take up to {nodes}"
            )
            yield Conflict(key=("tpu", "pods_cidr"), message=message)


def _smoke_test(config: StackConfig) -> Iterator[Conflict]:
    if not config.tpu or not config.tpu.smoke_test:
        return
    name, pools, key = config.tpu.smoke_test.pool, config.tpu.pools, ("tpu", "smoke_test", "pool")
    if name not in pools:
        yield Conflict(key=key, message=f"there is no TPU pool {name}", allowed=tuple(pools), value=name)
    elif pools[name].queued:
        message = f"pool {name} is queued: its nodes come for provisioning requests, which the test's job does not make"
        yield Conflict(key=key, message=message)


POOL_RULES = (_topology_of_the_type, _zone_with_the_chips, _reservation, _queued, _verified, _unverified_for_good)
RULES = (_ranges_apart, _ranges_private, _room_for_nodes, _room_for_pods, _smoke_test)
