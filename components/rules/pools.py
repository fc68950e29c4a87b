"""What a node pool may not be: rules between its values, the catalogue and the rest of the stack."""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators import CATALOGUE, EC2_TYPES, OFFERS_SOURCE, is_sold_in, regions_with
from components.settings.pools import PoolConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


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


def _zone_of_the_network(name: str, pool: PoolConfig, config: StackConfig) -> Iterator[Conflict]:
    zones = config.network.zones or ()
    if pool.zone and pool.zone not in zones:
        message = f"{pool.zone} is not among network.zones, which says {', '.join(zones) or 'nothing'}"
        yield Conflict(key=("pools", name, "zone"), message=message, allowed=zones, value=pool.zone)


RULES = (_sold_in_the_region, _zone_of_the_network)
