"""Cutting a VPC's ranges into subnets: arithmetic only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

_PUBLIC_BITS = 6  # a public subnet is a 64th of the VPC: load balancers and NAT gateways need few addresses
_ACCELERATOR_BITS = 4  # a 16th: what the last quarter has left for three
_STORAGE_BITS = 8  # a 256th: file servers and mount targets take an address each, in a /16 there are 251
_RESERVED = 5  # of every subnet AWS keeps five addresses (VPC guide, subnet sizing)

# Each role has a block of IPv6 subnets of its own, so that another role or zone moves none that is there.
_IPV6_FIRST = {"public": 0, "private": 16, "accelerator": 32, "storage": 48}

# What a node takes at most before it runs more than fifty pods: the VPC CNI keeps one network interface warm beside the
# one in use (WARM_ENI_TARGET 1), and the largest machines have 50 addresses an interface (EC2 guide, elastic network
# interfaces).
ADDRESSES_A_NODE = 100


@dataclass(frozen=True)
class SubnetPlan:
    """The ranges of a VPC's subnets by role, one of each a zone."""

    public: tuple[IPv4Network, ...]
    private: tuple[IPv4Network, ...]
    accelerator: tuple[IPv4Network, ...]
    storage: tuple[IPv4Network, ...]

    def __iter__(self) -> Iterator[IPv4Network]:
        yield from self.public
        yield from self.private
        yield from self.accelerator
        yield from self.storage


def plan_subnets(vpc: IPv4Network, zones: int) -> SubnetPlan:
    """A private quarter of the VPC for each zone; every other role's subnets from the last quarter.

    Pods take their addresses from the subnet of their node, so the subnets of nodes get what there is. Of a /16 a zone
    has 16,379 private addresses, 4,091 for accelerators, 1,019 public ones and 251 for storage; of a /20 1,019, 251,
    59 and 11. Nothing moves when a role is taken into use later: each has its place whether it is used or not.

    Raises:
        ValueError: more than three zones (the fourth quarter is the other roles'), or a VPC too small to cut.
    """
    if not 1 <= zones <= 3:
        raise ValueError(f"a VPC is cut for 1 to 3 zones, not {zones}")
    if vpc.prefixlen + _STORAGE_BITS > 28:
        raise ValueError(f"{vpc} is too small: its subnets would be smaller than a /28, AWS's smallest")
    quarters = list(vpc.subnets(prefixlen_diff=2))
    public = list(quarters[3].subnets(new_prefix=vpc.prefixlen + _PUBLIC_BITS))
    accelerator = list(quarters[3].subnets(new_prefix=vpc.prefixlen + _ACCELERATOR_BITS))[1:]
    storage = list(public[3].subnets(new_prefix=vpc.prefixlen + _STORAGE_BITS))
    return SubnetPlan(
        public=tuple(public[:zones]),
        private=tuple(quarters[:zones]),
        accelerator=tuple(accelerator[:zones]),
        storage=tuple(storage[:zones]),
    )


def ipv6_subnet(vpc: str, role: str, zone: int) -> str:
    """The /64 of a role's subnet in a zone, counted from 0, of the /56 that AWS gave the VPC.

    Raises:
        ValueError: ``vpc`` is no range that has so many /64, or a role has no 16 zones.
    """
    if not 0 <= zone < 16:
        raise ValueError(f"a role has 16 IPv6 subnets, and none is number {zone}")
    network = IPv6Network(vpc)
    index = _IPV6_FIRST[role] + zone
    if network.prefixlen > 56:
        raise ValueError(f"{network} is too small: AWS gives a VPC a /56")
    return str(IPv6Network((int(network.network_address) + (index << 64), 64)))


def usable_addresses(subnet: IPv4Network) -> int:
    """The addresses of a subnet that machines and pods can have."""
    return subnet.num_addresses - _RESERVED
