"""A cluster's network of machines: made with podman, found again by a name that follows from the cluster's folder."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from local.addresses import ClusterNetwork, hardware_address, key_of, network_candidates
from local.files import write_atomically
from local.iproute import addresses, interfaces_with, ip
from local.paths import DataRoot, LocalCloudError
from local.podman import PREFIX, ROOT_LABEL, PodmanError, ask, exists, podman
from local.processes import lock

FILE = "network.json"
_LOCK = Path("/run/lock/ai-datacenter.networks")
"""Held by everybody on this host who looks for a free network, or makes one free."""
_NAMESPACES = Path("/run/netns")


def name_of(folder: Path) -> str:
    """The network's name in podman."""
    return f"{PREFIX}{key_of(folder)}"


def recorded(folder: Path) -> ClusterNetwork | None:
    """The network that a cluster's folder records."""
    try:
        return ClusterNetwork(IPv4Network(json.loads((folder / FILE).read_text())["subnet"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ensure(root: DataRoot, folder: Path) -> ClusterNetwork:
    """The cluster's network, existing: the recorded one, the one that a killed run made, or a free one.

    Raises:
        LocalCloudError: podman refuses, or all networks of the range are taken.
    """
    name, network = name_of(folder), recorded(folder)
    if network is None or not exists("network", name):
        with lock(_LOCK):
            network = _existing(name) or _make(root, name, network)
            write_atomically(folder / FILE, json.dumps({"subnet": str(network.subnet)}) + "\n")
    return network


def settle(folder: Path) -> None:
    """Fix the bridge's hardware address once a machine is on it.

    A bridge takes over the lowest of its members: when that machine went, all others would lose the host until they
    asked for its address again.
    """
    name = name_of(folder)
    bridge = str(ask_network(name)[0]["network_interface"])
    ip("link", "set", bridge, "address", hardware_address(name))


def names_of(root: DataRoot) -> list[str]:
    """The networks of a data root that podman knows."""
    return [str(network["name"]) for network in ask("network", "ls", f"--filter=label={ROOT_LABEL}={root.path}")]


def remove(name: str) -> None:
    """Remove the network with what is left on it; fine where there is none.

    The network itself goes last: a run that is killed before that finds it again, and what it has put on this host.
    """
    with lock(_LOCK):
        network = _existing(name)
        if network is None:
            return
        for container in ask("ps", "--all", f"--filter=network={name}"):
            podman("rm", "--force", "--volumes", "--time=0", "--ignore", *container["Names"])
        # Of a podman that was killed half way, and has forgotten them:
        for bridge in interfaces_with(str(network.gateway)):
            ip("link", "delete", bridge)
        for path in sorted(_NAMESPACES.glob("netns-*")):
            if any(IPv4Address(address) in network.subnet for address in addresses(path.name)):
                ip("netns", "delete", path.name)
        podman("network", "rm", "--force", name)


def _existing(name: str) -> ClusterNetwork | None:
    if not exists("network", name):
        return None
    (found,) = ask_network(name)
    return ClusterNetwork(IPv4Network(found["subnets"][0]["subnet"]))


def ask_network(name: str) -> list[dict[str, Any]]:
    """What podman knows of a network."""
    return json.loads(podman("network", "inspect", name))


def _make(root: DataRoot, name: str, before: ClusterNetwork | None) -> ClusterNetwork:
    """Make the network: that of before, which addresses in the state are of, or the first that is free."""
    taken = _taken()
    candidates = [before] if before else list(network_candidates(name, taken))
    for network in candidates:
        place = [f"--subnet={network.subnet}", f"--gateway={network.gateway}", "--disable-dns"]
        try:
            podman("network", "create", *place, f"--label={ROOT_LABEL}={root.path}", name)
            return network
        except PodmanError as error:
            if "already used" not in str(error) or before:
                raise
    raise LocalCloudError(
        f"No network is free for the cluster's machines: all of {', '.join(map(str, taken))} are taken. "
        "`podman network ls` shows them; `make down` in their checkouts gives them back."
    )


def _taken() -> list[IPv4Network]:
    """The networks that podman or this host's routes know."""
    known = ask("network", "ls")
    subnets = [subnet["subnet"] for network in known for subnet in network.get("subnets") or []]
    routes = ip("-4", "route", "show").splitlines()
    subnets += [line.split()[0] for line in routes if line and not line.startswith("default")]
    return [IPv4Network(subnet, strict=False) for subnet in subnets if ":" not in subnet and "." in subnet]
