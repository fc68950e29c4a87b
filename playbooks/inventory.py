"""The machines that are configured: typed, and as Ansible reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"
"""The interpreter on a node. Looking for one costs a round trip a host, and may find what the roles do not expect."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """One machine that answers SSH.

    Attributes:
        name: what results and ``--limit`` call it.
        address: IP address or DNS name.
        key_file: the private key; ``None`` leaves it to the user's agent and SSH configuration.
        host_key: the public key by which it is known, as one line; ``None`` where a file of known hosts has it.
        groups: Ansible groups, for plays and variables of one's own.
        variables: variables of roles, by name.
    """

    name: str
    address: str
    port: int = 22
    user: str = "root"
    key_file: Path | None = None
    host_key: str | None = None
    groups: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def known_host(self) -> str:
        """Its line in a file of known hosts."""
        address = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        return f"{address} {self.host_key}"


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The machines of one run.

    Attributes:
        variables: variables of roles for every host.
        known_hosts: the file of host keys that are accepted; ``None``: the user's own.
    """

    hosts: tuple[Host, ...]
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    known_hosts: Path | None = None

    def __post_init__(self) -> None:
        names = [host.name for host in self.hosts]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the inventory names {', '.join(twice)} twice")

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts' names, in their order."""
        return tuple(host.name for host in self.hosts)

    @property
    def host_keys(self) -> dict[str, str]:
        """The lines of a file of known hosts, by the names of those whose keys are known here."""
        return {host.name: host.known_host for host in self.hosts if host.host_key}

    def limited_to(self, names: tuple[str, ...]) -> Inventory:
        """The same inventory with only the hosts of these names; with all of them where there are none."""
        if not names:
            return self
        return replace(self, hosts=tuple(host for host in self.hosts if host.name in names))

    def for_ansible(self) -> dict[str, Any]:
        """The inventory in Ansible's own form."""
        groups: dict[str, Any] = {}
        for host in self.hosts:
            for group in host.groups:
                groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
        common = {"ansible_python_interpreter": PYTHON, "ansible_ssh_common_args": ssh_arguments(self.known_hosts)}
        return {
            "all": {
                "vars": {**common, **self.variables},
                "hosts": {host.name: _variables(host) for host in self.hosts},
                "children": groups,
            }
        }


def ssh_arguments(known_hosts: Path | None) -> str:
    """Never a question: nobody is there to answer it."""
    return f'-o BatchMode=yes -o UserKnownHostsFile="{known_hosts}"' if known_hosts else "-o BatchMode=yes"


def _variables(host: Host) -> dict[str, Any]:
    found: dict[str, Any] = {"ansible_host": host.address, "ansible_port": host.port, "ansible_user": host.user}
    if host.key_file:
        found["ansible_ssh_private_key_file"] = str(host.key_file)
    return {**found, **host.variables}
