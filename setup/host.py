"""Whether this host can run machines: containers that boot an operating system, with a network of their own.

They need root with its privileges, and a few Debian packages, which the set-up installs. Where they cannot be, nodes
are processes, and the reason is one sentence.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

NODES = "AI_DATACENTER_NODES"
"""The variable that chooses what nodes are, ``processes`` or ``machines``; without it, what the host can do."""
PROCESSES, MACHINES = "processes", "machines"

PROGRAMS = {
    "podman": "podman",
    "runc": "runc",  # crun refuses the hybrid control groups that some hosts have
    "/usr/lib/podman/netavark": "netavark",
    "iptables": "iptables",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "zstd": "zstd",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
    "ssh": "openssh-client",
}
"""What has to be there, by name or path, and the Debian package that brings it."""

_CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_NET_ADMIN": 12, "CAP_SYS_PTRACE": 19, "CAP_MKNOD": 27}
"""Bits of the kernel's capability sets (linux/capability.h) without which nothing boots in a container."""


@dataclass(frozen=True)
class Host:
    """What decides whether machines can run here.

    Attributes:
        wanted: the choice in the environment; empty where there is none.
        uid: who we are.
        capabilities: the effective set, as the kernel writes it.
        missing: the Debian packages that are not there, in order.
        installs: whether packages can be installed here.
        is_hosts: whether user ids are the host's, and not those of a user namespace, whose root is root in name.
    """

    wanted: str
    uid: int
    capabilities: int
    missing: tuple[str, ...]
    installs: bool
    is_hosts: bool = True

    @classmethod
    def here(cls) -> Host:
        """This host."""
        return cls(
            wanted=os.environ.get(NODES, ""),
            uid=os.geteuid(),
            capabilities=effective_capabilities(Path("/proc/self/status").read_text()),
            missing=tuple(package for program, package in PROGRAMS.items() if shutil.which(program, _MODE) is None),
            installs=shutil.which("apt-get") is not None,
            is_hosts=_maps_identically(Path("/proc/self/uid_map")),
        )

    def refusal(self) -> str | None:
        """Why machines cannot run here, whatever is installed; None where they can once `missing` is there."""
        if self.wanted == PROCESSES:
            return f"{NODES}={PROCESSES} says so"
        if self.uid != 0:
            return "machines need root, and this is an ordinary user"
        if not self.is_hosts:
            return "this root is one of a user namespace, as in a rootless container"
        lacking = [name for name, bit in _CAPABILITIES.items() if not self.capabilities >> bit & 1]
        if lacking:
            return f"this root lacks {', '.join(lacking)}, as in a container without privileges"
        if self.missing and not self.installs:
            return f"{', '.join(self.missing)} not installed, and there is no apt-get to do it"
        return None

    def obstacle(self) -> str | None:
        """Why machines cannot run here now."""
        if (refusal := self.refusal()) is not None:
            return refusal
        return f"not installed: {', '.join(self.missing)} (`make setup-machines` does it)" if self.missing else None


_MODE = os.F_OK  # files that are no programs count too


def effective_capabilities(status: str) -> int:
    """The effective set in the text of ``/proc/<pid>/status``."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return int(found[1], 16) if found else 0


def _maps_identically(uid_map: Path) -> bool:
    """Whether every user id is itself; so it is too where the kernel has no user namespaces, and no such file."""
    try:
        return uid_map.read_text().split() == ["0", "0", "4294967295"]
    except OSError:
        return True


def check_choice(wanted: str) -> str | None:
    """What is wrong with the choice in the environment, in one sentence."""
    if wanted in ("", PROCESSES, MACHINES):
        return None
    return f"{NODES} is {wanted!r}: it can be {PROCESSES} or {MACHINES}, or be left out for what this host can do."
