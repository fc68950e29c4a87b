"""Removing whatever is left of a data root's machines: found by labels and names, so that no record is needed."""

from __future__ import annotations

import os
import shutil

from local import networks, vehicle
from local.machines import container, rules
from local.paths import DataRoot


def purge(root: DataRoot) -> list[str]:
    """Remove every machine, network and interface of the data root; the names of what there was.

    Raises:
        LocalCloudError: podman refuses to remove one.
    """
    if os.geteuid() != 0 or shutil.which("podman") is None:  # then there never was one
        return []
    removed: list[str] = []
    for name in sorted(container.all_names(root)):
        container.remove(name)
        removed.append(name)
    for name in networks.names_of(root):
        networks.remove(name)
        removed.append(name)
    vehicle.remove_server_address(root)
    if removed or _was_of_machines(root):
        rules.remove_left_over()
    return removed


def _was_of_machines(root: DataRoot) -> bool:
    chosen = vehicle.recorded(root)
    return chosen is not None and chosen.is_machines
