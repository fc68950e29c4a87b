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
    inside = ["-n", namespace] if namespace else []
    lines = ip("-o", "-4", *inside, "address", "show").splitlines()
    return [line.split()[3].partition("/")[0] for line in lines if len(line.split()) > 3]
