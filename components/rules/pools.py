"""What a node pool may not be: rules between its values, the catalogue and the rest of the stack."""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators import CATALOGUE, EC2_TYPES, OFFERS_SOURCE, Capacity, Vendor, is_sold_in, regions_with
from components.settings.pools import UNVERIFIED, PoolConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _sizes(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if not pool.min_size <= pool.desired_size <= pool.most:
        bounds = f"between min_size {pool.min_size} and max_size {pool.most}"
        yield Conflict(key=("pools", name, "desired_size"), message=f"{pool.desired_size} is not {bounds}")


def _room_to_scale(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.autoscaled and pool.min_size == pool.most:
        message = f"min_size and max_size are both {pool.most}: an autoscaler would have nothing to choose"
        yield Conflict(key=("pools", name, "autoscaled"), message=message)


def _sold_in_the_region(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    region = config.aws.region
    if not is_sold_in(region, pool.instance_type):
        regions = ", ".join(regions_with(pool.instance_type) or ())
        message = f"{pool.instance_type} is not sold in {region}, but in {regions} ({OFFERS_SOURCE})"
        yield Conflict(key=("pools", name, "instance_type"), message=message, allowed=_sold_instead(pool, region))


def _sold_instead(pool: PoolConfig, region: str) -> tuple[str, ...]:
    """Types of the same maker that the region sells."""
    rows = (CATALOGUE[other] for other in EC2_TYPES if region in (regions_with(other) or ()))
    return tuple(row.name for row in rows if row.vendor is pool.instance.vendor)


def _capacity_of_the_type(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.capacity not in pool.instance.capacities:
        allowed = tuple(capacity.value for capacity in Capacity if capacity in pool.instance.capacities)
        message = f"{pool.instance_type} cannot be bought as {pool.capacity}"
        yield Conflict(key=("pools", name, "capacity"), message=message, allowed=allowed)


def _block_without_reservation(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    is_block = pool.capacity == "capacity_block" and pool.capacity in pool.instance.capacities
    if is_block and not pool.capacity_reservation_id:
        message = "capacity_block needs a capacity_reservation_id beside it"
        yield Conflict(key=("pools", name, "capacity"), message=message)


def _spot_in_a_reservation(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.capacity == "spot" and pool.capacity_reservation_id:
        message = "spot nodes cannot use a reservation"
        yield Conflict(key=("pools", name, "capacity_reservation_id"), message=message)


def _group_without_zone(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.placement_group and not pool.zone:
        message = "a cluster placement group is in one zone: name it as zone"
        yield Conflict(key=("pools", name, "placement_group"), message=message)


def _group_against_a_reservation(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.placement_group and pool.capacity_reservation_id:
        message = (
            "a group of one's own may leave a part of the reservation unused (11 of 16 nodes started: eksctl#7949), "
            "and EC2 places a reservation's machines already: leave one of the two out"
        )
        yield Conflict(key=("pools", name, "placement_group"), message=message)


def _more_than_is_reserved(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    reserved = pool.reserved_nodes
    if reserved is not None and not pool.capacity_reservation_id:
        message = "there is no reservation: capacity_reservation_id is missing beside it"
        yield Conflict(key=("pools", name, "reserved_nodes"), message=message)
    elif reserved is not None and pool.most > reserved:
        key = "desired_size" if pool.max_size is None else "max_size"
        message = f"{pool.most} nodes are more than the reservation holds (reserved_nodes {reserved})"
        yield Conflict(key=("pools", name, key), message=message)


def _surge_beyond_the_reservation(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if not pool.capacity_reservation_id or not pool.surges:
        return
    room = None if pool.reserved_nodes is None else pool.reserved_nodes - pool.most
    if room is None or pool.surge > room:
        holds = "reserved_nodes does not say what it holds" if room is None else f"it has room for {max(room, 0)}"
        message = (
            f"an update would start up to {pool.surge} nodes beside the {pool.most} of the reservation, and {holds}: "
            "take minimal, which takes nodes away first"
        )
        yield Conflict(key=("pools", name, "update_strategy"), message=message, allowed=("minimal",))


def _adapters_of_the_type(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    most, wanted = pool.instance.efa_interfaces, pool.adapters
    if wanted > most:
        has = f"takes at most {most} of them" if most else "has no EFA"
        message = f"{wanted} EFA interfaces are too many: {pool.instance_type} {has}"
        yield Conflict(key=("pools", name, "efa_interfaces"), message=message)
    elif wanted and pool.instance.first_efa_card is None:
        message = (
            f"on which network cards {pool.instance_type} takes its EFA interfaces is unknown to the catalogue: "
            "with efa_interfaces 0 it goes without"
        )
        yield Conflict(key=("pools", name, "instance_type"), message=message)


def _pods_of_the_type(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    most = pool.instance.max_pods(pool.adapters)
    if pool.max_pods is not None and most is not None and pool.max_pods > most:
        message = f"{pool.max_pods} pods are too many: {most} get an address on {pool.instance_type}"
        yield Conflict(key=("pools", name, "max_pods"), message=message)


def _zone_of_the_network(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    zones = config.network.zones or ()
    if pool.zone and pool.zone not in zones:
        message = f"{pool.zone} is not among network.zones, which says {', '.join(zones) or 'nothing'}"
        yield Conflict(key=("pools", name, "zone"), message=message, allowed=zones, value=pool.zone)


def _unverified_for_good(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    message = (
        f"{UNVERIFIED} is put on and taken off by the checks, and EKS would keep what stands here: say verified: true"
    )
    if UNVERIFIED in pool.labels:
        yield Conflict(key=("pools", name, "labels", UNVERIFIED), message=message)
    for index, taint in enumerate(pool.taints):
        if taint.key == UNVERIFIED:
            yield Conflict(key=("pools", name, "taints", index, "key"), message=message)


def _checks_of_the_chips(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.verified and pool.instance.vendor is Vendor.NEURON:
        message = (
            f"the checks have not run on {pool.instance_type}: where Neuron does not tell a chip's memory, or compiles "
            "longer than they wait, each new node would be kept out for ever. Leave verified out; the smoke test looks "
            "at the nodes"
        )
        yield Conflict(key=("pools", name, "verified"), message=message)


RULES = (
    _sizes,
    _room_to_scale,
    _sold_in_the_region,
    _capacity_of_the_type,
    _block_without_reservation,
    _spot_in_a_reservation,
    _group_without_zone,
    _group_against_a_reservation,
    _more_than_is_reserved,
    _surge_beyond_the_reservation,
    _adapters_of_the_type,
    _pods_of_the_type,
    _zone_of_the_network,
    _unverified_for_good,
    _checks_of_the_chips,
)
