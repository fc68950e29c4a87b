"""What the cluster's ranges may not do."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _services_in_the_vpc(config: StackConfig) -> Iterator[Conflict]:
    service, cidr = config.cluster.service_cidr, config.network.cidr
    if service.overlaps(cidr):
        message = f"cluster.service_cidr {service} and network.cidr {cidr} overlap"
        yield Conflict(key=("network", "cidr"), message=message)


def _services_in_reserved_ranges(config: StackConfig) -> Iterator[Conflict]:
    service = config.cluster.service_cidr
    for reserved in config.network.reserved_cidrs:
        if service.overlaps(reserved):
            message = f"cluster.service_cidr {service} and network.reserved_cidrs {reserved} overlap"
            yield Conflict(key=("cluster", "service_cidr"), message=message)


RULES = (_services_in_the_vpc, _services_in_reserved_ranges)
