"""Packet filter rules that podman's networks leave behind: netavark's chains stay when the last network is gone."""

from __future__ import annotations

import re
import shlex
import subprocess

from local.podman import ask

_OURS = "NETAVARK"
_NETWORK = re.compile(r"NETAVARK-[0-9A-F]{6,}$")


def remove_left_over() -> None:
    """Remove netavark's chains where no container is left that could need them; podman makes them again."""
    if ask("ps", "--all"):
        return
    try:
        saved = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout
        for arguments in removals(saved):
            subprocess.run(["iptables", *arguments], capture_output=True, check=False)
    except OSError:
        return  # there is no iptables, and so there are no rules of it


def removals(saved: str) -> list[list[str]]:
    """The iptables commands that remove netavark's chains from what ``iptables-save`` shows; none while one is used."""
    jumps: list[list[str]] = []
    chains: list[tuple[str, str]] = []
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(f":{_OURS}"):
            chains.append((table, line[1:].split()[0]))
        elif line.startswith("-A ") and not line.startswith(f"-A {_OURS}") and f"-j {_OURS}" in line:
            jumps.append(["-t", table, "-D", *shlex.split(line)[1:]])
    if any(_NETWORK.match(chain) for _, chain in chains):
        return []
    flushed = [["-t", table, "-F", chain] for table, chain in chains]
    return [*jumps, *flushed, *(["-t", table, "-X", chain] for table, chain in chains)]
