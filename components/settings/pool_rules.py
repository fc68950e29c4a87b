"""What a node pool may not be: rules between its values and the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators import Capacity, Vendor

from .pools import UNVERIFIED, PoolConfig
from .section import Conflict, rule_of


@rule_of(PoolConfig)
def _sizes(pool: PoolConfig) -> Iterator[Conflict]:
    if not pool.min_size <= pool.desired_size <= pool.most:
        bounds = f"between min_size {pool.min_size} and max_size {pool.most}"
        yield Conflict(key=("desired_size",), message=f"{pool.desired_size} is not {bounds}")


@rule_of(PoolConfig)
def _room_to_scale(pool: PoolConfig) -> Iterator[Conflict]:
    if pool.autoscaled and pool.min_size == pool.most:
        message = f"min_size and max_size are both {pool.most}: an autoscaler would have nothing to choose"
        yield Conflict(key=("autoscaled",), message=message)


@rule_of(PoolConfig)
def _capacity_of_the_type(pool: PoolConfig) -> Iterator[Conflict]:
    if pool.capacity not in pool.instance.capacities:
        allowed = tuple(capacity.value for capacity in Capacity if capacity in pool.instance.capacities)
        message = f"{pool.instance_type} cannot be bought as {pool.capacity}"
        yield Conflict(key=("capacity",), message=message, allowed=allowed)


@rule_of(PoolConfig)
def _block_without_reservation(pool: PoolConfig) -> Iterator[Conflict]:
    is_block = pool.capacity == "capacity_block" and pool.capacity in pool.instance.capacities
    if is_block and not pool.capacity_reservation_id:
        message = "capacity_block needs a capacity_reservation_id beside it"
        yield Conflict(key=("capacity",), message=message)


@rule_of(PoolConfig)
def _spot_in_a_reservation(pool: PoolConfig) -> Iterator[Conflict]:
    if pool.capacity == "spot" and pool.capacity_reservation_id:
        message = "spot nodes cannot use a reservation"
        yield Conflict(key=("capacity_reservation_id",), message=message)


@rule_of(PoolConfig)
def _group_without_zone(pool: PoolConfig) -> Iterator[Conflict]:
    if pool.placement_group and not pool.zone:
        message = "a cluster placement group is in one zone: name it as zone"
        yield Conflict(key=("placement_group",), message=message)


@rule_of(PoolConfig)
def _group_against_a_reservation(pool: PoolConfig) -> Iterator[Conflict]:
    if pool.placement_group and pool.capacity_reservation_id:
        message = (
            "a group of one's own may leave a part of the reservation unused (11 of 16 nodes started: eksctl#7949), "
            "and EC2 places a reservation's machines already: leave one of the two out"
        )
        yield Conflict(key=("placement_group",), message=message)


@rule_of(PoolConfig)
def _more_than_is_reserved(pool: PoolConfig) -> Iterator[Conflict]:
    reserved = pool.reserved_nodes
    if reserved is not None and not pool.capacity_reservation_id:
        message = "there is no reservation: capacity_reservation_id is missing beside it"
        yield Conflict(key=("reserved_nodes",), message=message)
    elif reserved is not None and pool.most > reserved:
        key = "desired_size" if pool.max_size is None else "max_size"
        message = f"{pool.most} nodes are more than the reservation holds (reserved_nodes {reserved})"
        yield Conflict(key=(key,), message=message)


@rule_of(PoolConfig)
def _surge_beyond_the_reservation(pool: PoolConfig) -> Iterator[Conflict]:
    if not pool.capacity_reservation_id or not pool.surges:
        return
    room = None if pool.reserved_nodes is None else pool.reserved_nodes - pool.most
    if room is None or pool.surge > room:
        holds = "reserved_nodes does not say what it holds" if room is None else f"it has room for {max(room, 0)}"
        message = (
            f"an update would start up to {pool.surge} nodes beside the {pool.most} of the reservation, and {holds}: "
            "take minimal, which takes nodes away first"
        )
        yield Conflict(key=("update_strategy",), message=message, allowed=("minimal",))


@rule_of(PoolConfig)
def _adapters_of_the_type(pool: PoolConfig) -> Iterator[Conflict]:
    most, wanted = pool.instance.efa_interfaces, pool.adapters
    if wanted > most:
        has = f"takes at most {most} of them" if most else "has no EFA"
        message = f"{wanted} EFA interfaces are too many: {pool.instance_type} {has}"
        yield Conflict(key=("efa_interfaces",), message=message)
    elif wanted and pool.instance.first_efa_card is None:
        message = (
            f"on which network cards {pool.instance_type} takes its EFA interfaces is unknown to the catalogue: "
            "with efa_interfaces 0 it goes without"
        )
        yield Conflict(key=("instance_type",), message=message)


@rule_of(PoolConfig)
def _pods_of_the_type(pool: PoolConfig) -> Iterator[Conflict]:
    most = pool.instance.max_pods(pool.adapters)
    if pool.max_pods is not None and most is not None and pool.max_pods > most:
        message = f"{pool.max_pods} pods are too many: {most} get an address on {pool.instance_type}"
        yield Conflict(key=("max_pods",), message=message)


@rule_of(PoolConfig)
def _unverified_for_good(pool: PoolConfig) -> Iterator[Conflict]:
    message = (
        f"{UNVERIFIED} is put on and taken off by the checks, and EKS would keep what stands here: say verified: true"
    )
    if UNVERIFIED in pool.labels:
        yield Conflict(key=("labels", UNVERIFIED), message=message)
    for index, taint in enumerate(pool.taints):
        if taint.key == UNVERIFIED:
            yield Conflict(key=("taints", index, "key"), message=message)


@rule_of(PoolConfig)
def _checks_of_the_chips(pool: PoolConfig) -> Iterator[Conflict]:
    if pool.verified and pool.instance.vendor is Vendor.NEURON:
        message = (
            f"the checks have not run on {pool.instance_type}: where neuronx-cc compiles longer than they wait, each "
            "new node would be kept out for ever. Leave verified out; the smoke test looks at the nodes"
        )
        yield Conflict(key=("verified",), message=message)


@rule_of(PoolConfig)
def _calendar_without_block(pool: PoolConfig) -> Iterator[Conflict]:
    if pool.calendar and pool.capacity != "capacity_block":
        message = f"only a capacity block begins and ends, and this pool is {pool.capacity}"
        yield Conflict(key=("calendar",), message=message)


@rule_of(PoolConfig)
def _nodes_of_a_block(pool: PoolConfig) -> Iterator[Conflict]:
    """Its node group is empty before and after."""
    if not pool.calendar or pool.capacity != "capacity_block":
        return
    if pool.min_size:
        message = f"the block's end leaves no nodes, and min_size {pool.min_size} keeps some: leave it at 0"
        yield Conflict(key=("min_size",), message=message)
    if not pool.desired_size:
        message = "with 0 nodes the block would stay empty: say how many start with it"
        yield Conflict(key=("desired_size",), message=message)
    if pool.autoscaled:
        message = "an autoscaler would start nodes outside of the block too: its calendar says how many there are"
        yield Conflict(key=("autoscaled",), message=message)
    if not pool.zone:
        message = "a capacity block is in one zone, and nodes start in no other: name it as zone"
        yield Conflict(key=("calendar",), message=message)


@rule_of(PoolConfig)
def _warm_pool(pool: PoolConfig) -> Iterator[Conflict]:
    if not pool.warm_pool:
        return
    if pool.instance.chips:
        reason = f"a {pool.instance_type} that waits stopped has no capacity to come back to, and running it costs all"
    elif pool.capacity != "on_demand" or pool.capacity_reservation_id:
        reason = "Auto Scaling keeps warm only what is on demand and outside a reservation"
    elif not pool.autoscaled:
        reason = "only an autoscaler takes machines from it: set autoscaled"
    else:
        return
    yield Conflict(key=("warm_pool",), message=reason)
