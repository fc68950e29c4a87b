"""What the network's zones, roles and ranges of addresses may not be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network

from components.accelerators import zones_of
from components.addresses import ADDRESSES_A_NODE, plan_subnets, usable_addresses
from components.settings.network import PRIVATE_CLUSTER_SERVICES, ZONES
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _reserved_ranges(config: StackConfig) -> Iterator[Conflict]:
    for index, reserved in enumerate(config.network.reserved_cidrs):
        if reserved.overlaps(config.network.cidr):
            key = ("network", "reserved_cidrs", index)
            yield Conflict(key=key, message=f"{reserved} overlaps network.cidr {config.network.cidr}")


def vpc_range(cidr: IPv4Network, *key: str) -> Iterator[Conflict]:
    """What a range at ``key`` may not be for a VPC to have it."""
    if not 16 <= cidr.prefixlen <= 20:
        yield Conflict(key=key, message=f"{cidr} must be a /16 to a /20")
    if cidr.is_loopback or cidr.is_link_local or cidr.is_multicast or cidr.is_unspecified:
        yield Conflict(key=key, message=f"{cidr} is no range that machines can have addresses of")


def _range(config: StackConfig) -> Iterator[Conflict]:
    yield from vpc_range(config.network.cidr, "network", "cidr")


def too_few_zones(region: str, *key: str) -> Iterator[Conflict]:
    """Whether a VPC of this project has no room in a region; of some regions the zones are not known."""
    known = zones_of(region)
    if known and len(known) < ZONES:
        message = f"{region} has {len(known)} zones ({', '.join(known)}), and the network takes {ZONES}"
        yield Conflict(key=key, message=message)


def _zones_of_its_region(config: StackConfig) -> Iterator[Conflict]:
    yield from too_few_zones(config.aws.region, "aws", "region")


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


def _role_once(config: StackConfig) -> Iterator[Conflict]:
    for field in ("dedicated_subnets", "endpoint_services"):
        listed = getattr(config.network, field) or ()
        for index, one in enumerate(listed):
            if one in listed[:index]:
                yield Conflict(key=("network", field, index), message=f"{one} stands here a second time")


def _services_without_endpoints(config: StackConfig) -> Iterator[Conflict]:
    if config.network.endpoint_services and not config.network.interface_endpoints:
        message = "names services, and interface_endpoints is false, so none gets an endpoint: leave one of the two out"
        yield Conflict(key=("network", "endpoint_services"), message=message)


def _no_way_out(config: StackConfig) -> Iterator[Conflict]:
    """Without a NAT gateway nodes join and pull images through endpoints alone."""
    missing = [service for service in PRIVATE_CLUSTER_SERVICES if service not in config.network.services]
    if config.network.nat == "none" and missing:
        message = f"nodes without a NAT gateway need private endpoints of {', '.join(missing)}"
        field = "endpoint_services" if config.network.endpoint_services else "nat"
        yield Conflict(key=("network", field), message=message)


def _room_for_accelerators(config: StackConfig) -> Iterator[Conflict]:
    """The nodes of a pool with accelerators, at their most, have addresses for themselves and their pods."""
    if "accelerator" not in config.network.dedicated_subnets or not 16 <= config.network.cidr.prefixlen <= 20:
        return
    subnets = plan_subnets(config.network.cidr, ZONES).accelerator
    for name, pool in config.pools.items():
        room = usable_addresses(subnets[0]) * (1 if pool.zone else len(subnets))
        if pool.instance.chips and pool.most * ADDRESSES_A_NODE > room:
            needed = f"{pool.most} nodes take up to {pool.most * ADDRESSES_A_NODE:,} addresses"
            message = f"{needed}, and the accelerator subnets of network.cidr have {room:,}: leave accelerator out of "
            message += "network.dedicated_subnets (the private subnets have four times as many)"
            field = "max_size" if pool.max_size is not None else "desired_size"
            yield Conflict(key=("pools", name, field), message=message)


RULES = (
    _range, _reserved_ranges, _zones_of_its_region, _zones_of_the_region, _zones_once, _role_once,
    _services_without_endpoints, _no_way_out, _room_for_accelerators,
)  # fmt: skip
