"""Cutting a VPC's range into subnets: arithmetic only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

_PUBLIC_BITS = 6  # a public subnet is a 64th of the VPC: load balancers and NAT gateways need few addresses


@dataclass(frozen=True)
class SubnetPlan:
    """The ranges of a VPC's subnets, one of each kind a zone."""

    public: tuple[IPv4Network, ...]
    private: tuple[IPv4Network, ...]

    def __iter__(self) -> Iterator[IPv4Network]:
        yield from self.public
        yield from self.private


def plan_subnets(vpc: IPv4Network, zones: int) -> SubnetPlan:
    """A private quarter of the VPC for each zone; public subnets from the last quarter.

    Pods take their addresses from the private subnets (a p5 machine alone takes dozens), so those get all there is.

    Raises:
        ValueError: more than three zones (the fourth quarter is the public subnets'), or a VPC too small to cut.
    """
    if not 1 <= zones <= 3:
        raise ValueError(f"a VPC is cut for 1 to 3 zones, not {zones}")
    if vpc.prefixlen + _PUBLIC_BITS > 28:
        raise ValueError(f"{vpc} is too small: AWS's smallest subnet is a /28")
    quarters = list(vpc.subnets(prefixlen_diff=2))
    public = list(quarters[3].subnets(new_prefix=vpc.prefixlen + _PUBLIC_BITS))
    return SubnetPlan(public=tuple(public[:zones]), private=tuple(quarters[:zones]))
