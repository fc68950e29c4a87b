"""The host's interfaces, addresses and routes, by iproute2's ``ip``."""

from __future__ import annotations

import subprocess


def ip(*arguments: str) -> str:
    """What ``ip`` prints; nothing where it fails, which the caller sees by looking."""
    try:
        return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def addresses(namespace: str = "") -> list[str]:
    """All IPv4 addresses of this host, or of one of its network namespaces."""
    return [address for _, address in _addressed(namespace)]


def interfaces_with(address: str) -> list[str]:
    """The interfaces of this host that have an IPv4 address; more than one only where somebody made a mistake."""
    return [interface for interface, found in _addressed() if found == address]


def _addressed(namespace: str = "") -> list[tuple[str, str]]:
    """Interfaces with their addresses."""
    inside = ["-n", namespace] if namespace else []
    words = (line.split() for line in ip("-o", "-4", *inside, "address", "show").splitlines())
    return [(word[1], word[3].partition("/")[0]) for word in words if len(word) > 3]
