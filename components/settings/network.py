"""The network section, and what ranges of addresses may not do to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from components.accelerators import zones_of

from .section import Conflict, Section
from .values import Cidr, RetentionDays

if TYPE_CHECKING:
    from .stack import StackConfig

ZONES = 3


class NetworkConfig(Section):
    """The VPC and its three zones."""

    cidr: Cidr = Field(
        description="The VPC's range, /16 to /20: three private and three public subnets are cut from it."
    )
    zones: tuple[str, ...] | None = Field(
        default=None,
        strict=False,
        min_length=ZONES,
        max_length=ZONES,
        description="Zone names; absent: the account's first three.",
    )
    nat: Literal["one", "per_zone"] = Field(
        default="per_zone", description="NAT gateways: one is cheaper and a zone's loss cuts all off."
    )
    reserved_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        strict=False,
        description="Ranges that peers, offices or other regions use; the VPC may not overlap them.",
    )
    interface_endpoints: bool = Field(default=True, description="Private endpoints for ECR, STS, EC2, EKS and logs.")
    flow_log_retention_days: RetentionDays = Field(default=90, description="How long flow logs are kept.")


def _size(config: StackConfig) -> Iterator[Conflict]:
    if not 16 <= config.network.cidr.prefixlen <= 20:
        yield Conflict(key=("network", "cidr"), message=f"{config.network.cidr} must be a /16 to a /20")


def _reserved_ranges(config: StackConfig) -> Iterator[Conflict]:
    for index, reserved in enumerate(config.network.reserved_cidrs):
        if reserved.overlaps(config.network.cidr):
            key = ("network", "reserved_cidrs", index)
            yield Conflict(key=key, message=f"{reserved} overlaps network.cidr {config.network.cidr}")


def _usable(config: StackConfig) -> Iterator[Conflict]:
    cidr = config.network.cidr
    if cidr.is_loopback or cidr.is_link_local or cidr.is_multicast or cidr.is_unspecified:
        yield Conflict(key=("network", "cidr"), message=f"{cidr} is no range that machines can have addresses of")


def _zones_of_the_region(config: StackConfig) -> Iterator[Conflict]:
    region = config.aws.region
    known = zones_of(region)
    for index, zone in enumerate(config.network.zones or ()):
        is_one = zone in known if known else re.fullmatch(re.escape(region) + "[a-z]", zone)
        if not is_one:
            key = ("network", "zones", index)
            yield Conflict(key=key, message=f"{zone} is no zone of {region}", allowed=known or (), value=zone)


def _zones_once(config: StackConfig) -> Iterator[Conflict]:
    zones = config.network.zones or ()
    for index, zone in enumerate(zones):
        if zone in zones[:index]:
            message = f"{zone} stands here a second time: the loss of one zone would take two of the three"
            yield Conflict(key=("network", "zones", index), message=message)


RULES = (_size, _usable, _reserved_ranges, _zones_of_the_region, _zones_once)
