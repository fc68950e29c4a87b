"""The addresses of data centres whose nodes are machines: where the servers listen, and each cluster's network.

All are of 198.18.0.0/15, which RFC 2544 sets aside for measurements: it is routed nowhere, so that it hides nothing
that this host or its machines may want to reach. The first of its 32 parts holds one address for each data root, at
which its API servers and its AWS listen; each other part is the network of one cluster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

RANGE = IPv4Network("198.18.0.0/15")
_SERVERS, *_CLUSTERS = RANGE.subnets(new_prefix=20)
NODE_PREFIX = 26
"""Length of the part of a cluster's network that one node's pods get: 62 addresses."""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ClusterNetwork:
    """One cluster's network: the host, its machines and all their pods are on one link, as with the VPC CNI."""

    subnet: IPv4Network

    @property
    def gateway(self) -> str:
        """The host's address in it."""
        return str(self.subnet[1])

    @property
    def pods(self) -> IPv4Network:
        """What the pods' addresses are taken from, part by part for each node: the upper half."""
        return list(self.subnet.subnets(prefixlen_diff=1))[1]

    @property
    def most_machines(self) -> int:
        """How many nodes there can be: as many as the pods' half has parts."""
        return 2 ** (NODE_PREFIX - self.pods.prefixlen)

    def machines(self) -> Iterator[str]:
        """The addresses that machines can have, in order: the lower half, which has more of them than machines."""
        return (str(self.subnet[number]) for number in range(2, self.subnet.num_addresses // 2))


def server_candidates(key: str) -> Iterator[str]:
    """The addresses for the servers of one data root, the one that its key prefers first."""
    size = _SERVERS.num_addresses - 2
    return (str(_SERVERS[1 + (_number(key) + step) % size]) for step in range(size))


def network_candidates(key: str, taken: Collection[IPv4Network]) -> Iterator[ClusterNetwork]:
    """The networks that a cluster can have beside those that are taken, the one that its key prefers first."""
    start = _number(key) % len(_CLUSTERS)
    for subnet in _CLUSTERS[start:] + _CLUSTERS[:start]:
        if not any(subnet.overlaps(other) for other in taken):
            yield ClusterNetwork(subnet)


def free_machine_address(network: ClusterNetwork, taken: Collection[str]) -> str | None:
    """The first address that no machine has; None where the network is full."""
    return next((address for address in network.machines() if address not in taken), None)


def is_ours(address: str) -> bool:
    """Whether an address is of the range."""
    return IPv4Address(address) in RANGE


def key_of(path: object) -> str:
    """Eight hexadecimal digits that stand for a folder in the names of containers, networks and interfaces."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:8]


def hardware_address(name: str) -> str:
    """A locally administered hardware address that follows from a name.

    What is made anew under a name keeps the address: its neighbours go on sending to the one that they know for up to
    a minute.
    """
    digits = hashlib.sha256(name.encode()).hexdigest()
    return ":".join(["02", *(digits[place : place + 2] for place in range(0, 10, 2))])


def _number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
