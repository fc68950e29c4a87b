"""What the cluster's ranges may not do."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from components.settings.section import Conflict
from components.settings.stack import StackConfig

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def _size(config: StackConfig) -> Iterator[Conflict]:
    service = config.cluster.service_cidr
    if not 12 <= service.prefixlen <= 24:
        yield Conflict(key=("cluster", "service_cidr"), message=f"{service} must be a /12 to a /24")


def _private(config: StackConfig) -> Iterator[Conflict]:
    """EKS API reference, KubernetesNetworkConfigRequest."""
    service = config.cluster.service_cidr
    if not any(service.subnet_of(block) for block in _PRIVATE):
        blocks = ", ".join(map(str, _PRIVATE))
        yield Conflict(key=("cluster", "service_cidr"), message=f"{service} must be within one of {blocks}")


def _open_to_everyone(config: StackConfig) -> Iterator[Conflict]:
    for index, open_range in enumerate(config.cluster.public_access_cidrs):
        if open_range.prefixlen == 0:
            message = f"{open_range} opens the API endpoint to everyone: name the ranges that need it"
            yield Conflict(key=("cluster", "public_access_cidrs", index), message=message)


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


RULES = (_size, _private, _open_to_everyone, _services_in_the_vpc, _services_in_reserved_ranges)
