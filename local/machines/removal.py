"""Removing whatever is left of a data root's machines: found by labels and names, so that no record is needed."""

from __future__ import annotations

import os

from local import networks, vehicle
from local.machines import container, rules
from local.paths import DataRoot
from local.podman import PodmanError, podman


def purge(root: DataRoot) -> list[str]:
    """Remove every machine, network and interface of the data root; the names of what there was.

    podman is not asked where nodes are processes. Where no record says what they are, a podman that cannot even list
    has none.

    Raises:
        LocalCloudError: podman is broken, or refuses to remove one.
    """
    chosen = vehicle.recorded(root)
    if os.geteuid() != 0 or (chosen is not None and not chosen.is_machines):
        return []
    if chosen is None and not _answers():
        return []
    removed: list[str] = []
    for name in sorted(container.all_names(root)):
        container.remove(name)
        removed.append(name)
    for name in networks.names_of(root):
        networks.remove(name)
        removed.append(name)
    vehicle.remove_server_address(root)
    if removed or chosen is not None:
        rules.remove_left_over()
    return removed


def _answers() -> bool:
    try:
        podman("ps", "--all", "--quiet")
    except PodmanError:
        return False
    return True
