"""Removing whatever is left of a data root's machines: found by labels and names, so that no record is needed."""

from __future__ import annotations

import shutil

from local import networks, vehicle
from local.machines import container
from local.paths import DataRoot
from local.podman import ROOT_LABEL, ask


def purge(root: DataRoot) -> list[str]:
    """Remove every machine, network and interface of the data root; the names of what there was."""
    if shutil.which("podman") is None:
        return []
    removed: list[str] = []
    for name in sorted(container.all_names(root)):
        container.remove(name)
        removed.append(name)
    for network in ask("network", "ls", f"--filter=label={ROOT_LABEL}={root.path}"):
        networks.remove(network["name"])
        removed.append(network["name"])
    vehicle.remove_server_address(root)
    return removed
