"""Where a file system of FSx for Lustre is of use."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.lustre import LustreConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _efa(name: str, system: LustreConfig, config: StackConfig) -> Iterator[Conflict]:
    if not system.efa or system.deployment != "persistent_2":
        return
    users = [pool for pool in config.pools.values() if pool.adapters and pool.zone == system.zone]
    if not users:
        message = f"no pool in {system.zone} has nodes with EFA, and EFA does not leave a zone"
        yield Conflict(key=("lustre", name, "efa"), message=message)


def _zone(name: str, system: LustreConfig, config: StackConfig) -> Iterator[Conflict]:
    zones, key = config.network.zones or (), ("lustre", name, "zone")
    if system.zone not in zones:
        message = f"{system.zone} is not among network.zones, which says {', '.join(zones) or 'nothing'}"
        yield Conflict(key=key, message=message, allowed=zones, value=system.zone)
        return
    homes = {pool.zone for pool in config.pools.values() if pool.instance.chips}
    if homes and None not in homes and system.zone not in homes:
        message = f"no accelerator pool is in {system.zone}, and what crosses zones is slower and billed"
        yield Conflict(key=key, message=message, allowed=tuple(sorted(zone for zone in homes if zone)))


RULES = (_efa, _zone)
