"""The TPU section: slices in a GKE cluster of Google Cloud. Limits: GKE and Compute Engine documentation."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from components.accelerators import CATALOGUE, TPU_TYPES, InstanceType
from components.accelerators.slices import Slice, makers, nearest, slice_of

from .pools import UNVERIFIED
from .registry import ImageDigest
from .section import Conflict, Section, WrongByItself, rule_of
from .smoke_test import SmokeTestConfig
from .values import Cidr, LabelKey, LabelValue, Name, enumeration, one_of

MAX_PODS = 32
"""Most pods on a node: a TPU node runs one job and what every node runs."""
PODS_PREFIX = 26
"""The part of the pods' range that a node gets: twice as many addresses as pods (GKE documentation, alias IPs)."""

_TAKEN_OF_A_SUBNET = 4  # addresses that Google keeps of every range
_ROWS = tuple(CATALOGUE[name] for name in TPU_TYPES)

TpuTypeName = Annotated[str, one_of("machine type", TPU_TYPES), enumeration(TPU_TYPES)]
Zone = Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]+-[a-z]$")]
Reservation = Annotated[
    str, StringConstraints(pattern=r"^(projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/reservations/)?[a-z][a-z0-9-]{0,62}$")
]


class TpuPoolConfig(Section):
    """Equal TPU slices. A slice of several machines is a node pool of its own, which lives and dies as one."""

    machine_type: TpuTypeName = Field(description="A TPU type of the catalogue.")
    topology: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}(x[1-9][0-9]{0,3}){1,2}$")] = Field(
        description="Chips along each axis of a slice, such as 4x4 or 2x2x4."
    )
    zone: Zone = Field(description="The one zone of all its nodes.")
    slices: int = Field(default=1, ge=1, le=256, description="Slices; the most of them where they come on demand.")
    capacity: Literal["on_demand", "spot", "reservation", "flex_start"] = Field(
        default="on_demand",
        description="How they are bought. flex_start: they come when a pod waits and capacity is free, for a week at "
        "most.",
    )
    reservation: Reservation | None = Field(
        default=None, description="The reservation's name; of another project: projects/<project>/reservations/<name>."
    )
    queued: bool = Field(
        default=False, description="They come for provisioning requests, as Kueue makes them, and for no pod else."
    )
    autoscaled: bool = Field(
        default=False, description="From none to all of them, a whole slice at a time, as pods ask for them."
    )
    disk_size_gb: int = Field(default=100, ge=50, le=16384, description="Boot disk of a node, GB.")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="Labels on every node.")
    verified: bool = Field(
        default=False,
        description="New nodes keep the taint `ai-datacenter/unverified` until the checks have passed on them. For "
        "slices of one machine that are always there.",
    )

    @property
    def machine(self) -> InstanceType:
        """The catalogue's row."""
        return CATALOGUE[self.machine_type]

    @property
    def slice(self) -> Slice:
        """What one slice is."""
        found = slice_of(self.machine, self.topology)
        if found is None:  # the topology's own rule tells it
            raise WrongByItself("topology")
        return found

    @property
    def hosts(self) -> int:
        """Machines of all slices."""
        return self.slices * self.slice.hosts

    @property
    def scales(self) -> bool:
        """Whether its nodes come and go with what asks for them."""
        return self.autoscaled or self.queued or self.capacity == "flex_start"


class TpuConfig(Section):
    """A GKE cluster with TPU slices. Needs pulumi-gcp, and credentials of Google Cloud."""

    project: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")] = Field(
        description="The project's id in Google Cloud; no other is touched."
    )
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]+$")] = Field(
        description="The region of the cluster, whose control plane is in several zones of it."
    )
    pools: dict[Name, TpuPoolConfig] = Field(min_length=1, description="Pools of TPU slices by name.")
    release_channel: Literal["rapid", "regular", "stable"] = Field(
        default="regular", description="How early the cluster gets Kubernetes versions; TPU7x may need an early one."
    )
    nodes_cidr: Cidr = Field(default=IPv4Network("10.128.0.0/20"), description="Range of the nodes' addresses.")
    pods_cidr: Cidr = Field(
        default=IPv4Network("10.132.0.0/14"), description="Range of the pods' addresses; a node takes 64 of them."
    )
    services_cidr: Cidr = Field(default=IPv4Network("10.129.0.0/20"), description="Range of the Services' addresses.")
    system_machine_type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*-[a-z]+-[0-9]+$")] = Field(
        default="e2-standard-4", description="Machines of the nodes without chips, one at first."
    )
    system_nodes: int = Field(default=3, ge=1, le=100, description="Most nodes without chips.")
    image_digest: ImageDigest | None = Field(
        default=None,
        description="The workload's image in Artifact Registry; absent: the tag that its sources' digest makes.",
    )
    smoke_test: SmokeTestConfig | None = Field(
        default=None, description="A training job on each slice of a pool; absent: none."
    )


@rule_of(TpuPoolConfig)
def _topology_of_the_type(pool: TpuPoolConfig) -> Iterator[Conflict]:
    if slice_of(pool.machine, pool.topology):
        return
    others = makers(pool.topology, _ROWS)
    instead = f"; {', '.join(others)} make it" if others else ", and no other machine type does"
    message = f"{pool.machine_type} makes no slice of {pool.topology}{instead}"
    allowed = nearest(pool.machine, pool.topology)
    yield Conflict(key=("topology",), message=message, allowed=allowed, value=allowed[0])


@rule_of(TpuPoolConfig)
def _reservation(pool: TpuPoolConfig) -> Iterator[Conflict]:
    if pool.capacity == "reservation" and not pool.reservation:
        yield Conflict(key=("capacity",), message="reservation needs the reservation's name beside it")
    elif pool.capacity != "reservation" and pool.reservation:
        message = f"{pool.capacity} nodes use no reservation: take capacity reservation, or leave it out"
        yield Conflict(key=("reservation",), message=message)


@rule_of(TpuPoolConfig)
def _queued(pool: TpuPoolConfig) -> Iterator[Conflict]:
    if pool.queued and pool.capacity not in ("flex_start", "on_demand"):
        message = f"queued provisioning gets neither spot nor reserved nodes, and capacity is {pool.capacity}"
        yield Conflict(key=("queued",), message=message)


@rule_of(TpuPoolConfig)
def _verified(pool: TpuPoolConfig) -> Iterator[Conflict]:
    found = slice_of(pool.machine, pool.topology)
    if not pool.verified or found is None:  # the topology's own rule tells it
        return
    if found.is_multi_host:
        message = (
            f"a slice of {found.hosts} machines cannot be checked one by one, for the chips of a machine start only "
            "together with all others of their slice. Leave verified out; the smoke test looks at whole slices"
        )
        yield Conflict(key=("verified",), message=message)
    elif pool.scales:
        message = (
            "these nodes come when a pod waits, and GKE's autoscaler would start none for a pod that does not tolerate "
            f"{UNVERIFIED}, for nobody can tell it that the taint goes. Leave verified out, or have the slices stay"
        )
        yield Conflict(key=("verified",), message=message)


@rule_of(TpuPoolConfig)
def _unverified_for_good(pool: TpuPoolConfig) -> Iterator[Conflict]:
    if UNVERIFIED in pool.labels:
        message = f"{UNVERIFIED} is put on and taken off by the checks: say verified: true"
        yield Conflict(key=("labels", UNVERIFIED), message=message)


@rule_of(TpuConfig)
def _ranges_apart(tpu: TpuConfig) -> Iterator[Conflict]:
    names = ("nodes_cidr", "pods_cidr", "services_cidr")
    for index, name in enumerate(names):
        for other in names[:index]:
            one, two = getattr(tpu, name), getattr(tpu, other)
            if one.overlaps(two):
                yield Conflict(key=(name,), message=f"{one} and tpu.{other} {two} overlap")


@rule_of(TpuConfig)
def _ranges_private(tpu: TpuConfig) -> Iterator[Conflict]:
    private = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
    for name in ("nodes_cidr", "pods_cidr", "services_cidr"):
        cidr = getattr(tpu, name)
        if not any(cidr.subnet_of(block) for block in private):
            message = f"{cidr} must be within one of {', '.join(map(str, private))}"
            yield Conflict(key=(name,), message=message)


def _nodes(tpu: TpuConfig) -> int:
    return sum(pool.hosts for pool in tpu.pools.values()) + tpu.system_nodes


@rule_of(TpuConfig)
def _room_for_nodes(tpu: TpuConfig) -> Iterator[Conflict]:
    nodes, room = _nodes(tpu), tpu.nodes_cidr.num_addresses - _TAKEN_OF_A_SUBNET
    if nodes > room:
        message = f"{tpu.nodes_cidr} has addresses for {max(room, 0)} nodes, and the pools take up to {nodes}"
        yield Conflict(key=("nodes_cidr",), message=message)


@rule_of(TpuConfig)
def _room_for_pods(tpu: TpuConfig) -> Iterator[Conflict]:
    nodes, room = _nodes(tpu), tpu.pods_cidr.num_addresses >> (32 - PODS_PREFIX)
    if nodes > room:
        message = (
            f"{tpu.pods_cidr} has addresses for the pods of {room} nodes (a /{PODS_PREFIX} each), and the "
            f"pools take up to {nodes}"
        )
        yield Conflict(key=("pods_cidr",), message=message)


@rule_of(TpuConfig)
def _smoke_test(tpu: TpuConfig) -> Iterator[Conflict]:
    if not tpu.smoke_test:
        return
    name, pools, key = tpu.smoke_test.pool, tpu.pools, ("smoke_test", "pool")
    if name not in pools:
        yield Conflict(key=key, message=f"there is no TPU pool {name}", allowed=tuple(pools), value=name)
    elif pools[name].queued:
        message = f"pool {name} is queued: its nodes come for provisioning requests, which the test's job does not make"
        yield Conflict(key=key, message=message)
    elif pools[name].capacity == "flex_start":
        message = (
            f"pool {name} is flex_start: its nodes come when capacity is free, which may take days, and the test would "
            f"fail after {tpu.smoke_test.timeout_s} s without one. Name a pool whose nodes come at once"
        )
        yield Conflict(key=key, message=message)
