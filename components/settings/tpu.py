"""The TPU section: slices in a GKE cluster of Google Cloud. Limits: GKE and Compute Engine documentation."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from components.accelerators import CATALOGUE, TPU_TYPES, InstanceType
from components.accelerators.slices import Slice, slice_of

from .registry import ImageDigest
from .section import Section, WrongByItself
from .smoke_test import SmokeTestConfig
from .values import Cidr, LabelKey, LabelValue, Name, enumeration, one_of

MAX_PODS = 32
"""Most pods on a node: a TPU node runs one job and what every node runs."""
PODS_PREFIX = 26
"""The part of the pods' range that a node gets: twice as many addresses as pods (GKE documentation, alias IPs)."""

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
