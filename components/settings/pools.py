"""The node pools, and what a pool may not be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from components.accelerators import CATALOGUE, EC2_TYPES, InstanceType

from .section import Conflict, Section
from .values import LabelKey, LabelValue, enumeration, one_of

if TYPE_CHECKING:
    from .stack import StackConfig

InstanceTypeName = Annotated[str, one_of("instance type", EC2_TYPES), enumeration(EC2_TYPES)]


class Taint(Section):
    """A taint on every node of a pool, in Kubernetes' words."""

    key: LabelKey
    value: LabelValue = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


class PoolConfig(Section):
    """A pool of equal nodes. Accelerator pools get their vendor's taint without being told."""

    instance_type: InstanceTypeName = Field(description="A type of the catalogue.")
    desired_size: int = Field(ge=0, le=5000, description="Nodes now.")
    min_size: int = Field(default=0, ge=0, le=5000, description="Fewest nodes.")
    max_size: int | None = Field(default=None, ge=1, le=5000, description="Most nodes; absent: as many as desired.")
    capacity: Literal["on_demand", "spot", "capacity_block"] = Field(
        default="on_demand", description="How the nodes are bought."
    )
    capacity_reservation_id: Annotated[str, StringConstraints(pattern=r"^cr-[0-9a-f]{8,17}$")] | None = Field(
        default=None, description="The reservation that the nodes are launched into."
    )
    zone: str | None = Field(default=None, description="The one zone of the nodes; absent: all three.")
    placement_group: bool = Field(
        default=False, description="A cluster placement group; may leave a part of a reservation unused (eksctl#7949)."
    )
    disk_size_gb: int = Field(default=200, ge=20, le=16384, description="Root volume, GB.")
    ami_release: Annotated[str, StringConstraints(pattern=r"^1\.[0-9]+\.[0-9]+-[0-9]{8}$")] | None = Field(
        default=None, description="EKS AMI release; absent: the one pinned for the Kubernetes version."
    )
    max_unavailable: int = Field(default=1, ge=1, le=100, description="Nodes that an update may take away at once.")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="Labels on every node.")
    taints: tuple[Taint, ...] = Field(default=(), strict=False, description="Taints beside the accelerator's own.")

    @property
    def instance(self) -> InstanceType:
        """The catalogue's row."""
        return CATALOGUE[self.instance_type]

    @property
    def most(self) -> int:
        """Most nodes."""
        return self.max_size if self.max_size is not None else max(1, self.desired_size)


def _sizes(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if not pool.min_size <= pool.desired_size <= pool.most:
        bounds = f"between min_size {pool.min_size} and max_size {pool.most}"
        yield Conflict(key=("pools", name, "desired_size"), message=f"{pool.desired_size} is not {bounds}")


def _block_without_reservation(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    if pool.capacity == "capacity_block" and not pool.capacity_reservation_id:
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


def _zone_of_the_network(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    zones = config.network.zones or ()
    if pool.zone and pool.zone not in zones:
        message = f"{pool.zone} is not among network.zones, which says {', '.join(zones) or 'nothing'}"
        yield Conflict(key=("pools", name, "zone"), message=message, allowed=zones, value=pool.zone)


RULES = (_sizes, _block_without_reservation, _spot_in_a_reservation, _group_without_zone, _zone_of_the_network)
