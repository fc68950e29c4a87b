"""What the network's zones, roles and ranges of addresses may not be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.accelerators import zones_of
from components.addresses import ADDRESSES_A_NODE, plan_subnets, usable_addresses
from components.settings.network import PRIVATE_CLUSTER_SERVICES, ZONES
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _zones_of_the_region(config: StackConfig) -> Iterator[Conflict]:
    region = config.aws.region
    known = zones_of(region)
    for index, zone in enumerate(config.network.zones or ()):
        is_one = zone in known if known else re.fullmatch(re.escape(region) + "[a-z]", zone)
        if not is_one:
            key = ("network", "zones", index)
            yield Conflict(key=key, message=f"{zone} is no zone of {region}", allowed=known or (), value=zone)


def _no_way_out(config: StackConfig) -> Iterator[Conflict]:
    """Without a NAT gateway nodes join and pull images through endpoints alone; a network without nodes may do so."""
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


RULES = (_zones_of_the_region, _no_way_out, _room_for_accelerators)
