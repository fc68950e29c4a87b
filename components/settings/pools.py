"""The node pools."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from components.accelerators import CATALOGUE, EC2_TYPES, InstanceType

from .network import ZONES
from .pool_sections import BlockCalendar, NodeRepairConfig, WarmPoolConfig
from .section import Section
from .values import LabelKey, LabelValue, enumeration, one_of

# On a node that is to be checked: its label and its taint, and the annotation that says why it is still there.
UNVERIFIED = "ai-datacenter/unverified"

InstanceTypeName = Annotated[str, one_of("instance type", EC2_TYPES), enumeration(EC2_TYPES)]
AmiRelease = Annotated[str, StringConstraints(pattern=r"^1\.[0-9]+\.[0-9]+-[0-9]{8}$")]


class Taint(Section):
    """A taint on every node of a pool, in Kubernetes' words."""

    key: LabelKey = Field(description="Its key.")
    value: LabelValue = Field(default="", description="Its value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(
        default="NoSchedule", description="What happens to a pod that does not tolerate it."
    )


class PoolConfig(Section):
    """A pool of equal nodes. Accelerator pools get their vendor's taint without being told."""

    instance_type: InstanceTypeName = Field(description="A type of the catalogue.")
    desired_size: int = Field(ge=0, le=5000, description="Nodes now.")
    min_size: int = Field(default=0, ge=0, le=5000, description="Fewest nodes.")
    max_size: int | None = Field(default=None, ge=1, le=5000, description="Most nodes; absent: as many as desired.")
    autoscaled: bool = Field(
        default=False,
        description="An autoscaler in the cluster sets how many nodes there are; desired_size is for the beginning.",
    )
    capacity: Literal["on_demand", "spot", "capacity_block"] = Field(
        default="on_demand", description="How the nodes are bought."
    )
    capacity_reservation_id: Annotated[str, StringConstraints(pattern=r"^cr-[0-9a-f]{8,17}$")] | None = Field(
        default=None, description="The reservation that the nodes are launched into."
    )
    reserved_nodes: int | None = Field(
        default=None, ge=1, le=5000, description="Machines that the reservation holds; absent: not checked."
    )
    calendar: BlockCalendar | None = Field(
        default=None,
        description="When the capacity block begins and ends; absent: desired_size nodes now, and nobody drains them.",
    )
    zone: str | None = Field(default=None, description="The one zone of the nodes; absent: all three.")
    placement_group: bool = Field(
        default=False, description="A cluster placement group; not with a reservation, of which it may use a part only."
    )
    disk_size_gb: int = Field(default=200, ge=20, le=16384, description="Root volume, GB.")
    ami_release: AmiRelease | None = Field(
        default=None, description="EKS AMI release; absent: the one pinned for the Kubernetes version."
    )
    max_unavailable: int = Field(default=1, ge=1, le=100, description="Nodes that an update may take away at once.")
    update_strategy: Literal["minimal", "default"] | None = Field(
        default=None,
        description="Whether an update takes nodes away first (minimal) or starts more first (default); absent: "
        "minimal with accelerators or a reservation, where there is no spare machine.",
    )
    node_repair: NodeRepairConfig | None = Field(
        default=None,
        description="EKS repairs unhealthy nodes; absent: nobody does. That a chip has failed only "
        "EKS' node monitoring agent sees, an add-on that is not installed from here.",
    )
    warm_pool: WarmPoolConfig | None = Field(
        default=None, description="Machines that wait for an autoscaler; absent: none."
    )
    efa_interfaces: int | None = Field(
        default=None, ge=0, description="Elastic Fabric Adapters of a node; absent: all that the type takes."
    )
    max_pods: int | None = Field(
        default=None, ge=4, description="Most pods on a node; absent: as many as get an address of the VPC's."
    )
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="Labels on every node.")
    taints: tuple[Taint, ...] = Field(default=(), strict=False, description="Taints beside the accelerator's own.")
    verified: bool = Field(
        default=False,
        description="New nodes keep the taint `ai-datacenter/unverified` until the checks have passed on them. An "
        "autoscaler in the cluster must know it for one of starting nodes: "
        "`--startup-taint=ai-datacenter/unverified`. Not for Neuron's chips, on which the checks have not run.",
    )

    @property
    def instance(self) -> InstanceType:
        """The catalogue's row."""
        return CATALOGUE[self.instance_type]

    @property
    def most(self) -> int:
        """Most nodes."""
        return self.max_size if self.max_size is not None else max(1, self.desired_size)

    @property
    def initial_size(self) -> int:
        """Nodes that the node group is made with: none before a capacity block begins."""
        return 0 if self.calendar and self.calendar.start else self.desired_size

    @property
    def sized_elsewhere(self) -> bool:
        """Whether something in the cloud sets how many nodes there are: an autoscaler, or a block's calendar."""
        return self.autoscaled or self.calendar is not None

    @property
    def adapters(self) -> int:
        """Elastic Fabric Adapters of a node."""
        return self.instance.efa_interfaces if self.efa_interfaces is None else self.efa_interfaces

    @property
    def surges(self) -> bool:
        """Whether an update starts new nodes before it takes old ones away."""
        if self.update_strategy is None:
            return not self.instance.chips and not self.capacity_reservation_id
        return self.update_strategy == "default"

    @property
    def surge(self) -> int:
        """Nodes beyond the most that an update may start: twice the zones, or ``max_unavailable`` (EKS guide)."""
        return max(2 * (1 if self.zone else ZONES), self.max_unavailable) if self.surges else 0
