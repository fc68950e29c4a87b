"""The sizes and ties that FSx for Lustre sells.

Source where none is named: FSx API reference, CreateFileSystem and CreateFileSystemLustreConfiguration.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.lustre import EFA_STEP_GIB, SMALLEST_GIB, STEP_GIB, THROUGHPUTS, LustreConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _capacity(name: str, system: LustreConfig, config: StackConfig) -> Iterator[Conflict]:
    size = system.capacity_gib
    if size != SMALLEST_GIB and size % STEP_GIB:
        below = size - size % STEP_GIB or SMALLEST_GIB
        message = f"{size} GiB is sold by nobody: {SMALLEST_GIB} or a multiple of {STEP_GIB}, so {below} or "
        message += f"{size - size % STEP_GIB + STEP_GIB}"
        yield Conflict(key=("lustre", name, "capacity_gib"), message=message)


def _throughput(name: str, system: LustreConfig, config: StackConfig) -> Iterator[Conflict]:
    key = ("lustre", name)
    given = system.throughput_mb_s_per_tib
    if system.deployment == "scratch_2" and given is not None:
        message = "scratch_2 has 200 MB/s for each TiB and no choice: leave it out"
        yield Conflict(key=(*key, "throughput_mb_s_per_tib"), message=message)
    elif system.deployment == "persistent_2" and given is None:
        allowed = tuple(map(str, THROUGHPUTS))
        message = "persistent_2 needs a throughput_mb_s_per_tib beside it: it decides the price"
        yield Conflict(key=(*key, "deployment"), message=message, allowed=allowed)


def _only_persistent(name: str, system: LustreConfig, config: StackConfig) -> Iterator[Conflict]:
    if system.deployment == "persistent_2":
        return
    key = ("lustre", name)
    if system.metadata_iops is not None:
        yield Conflict(key=(*key, "metadata_iops"), message="scratch_2 has no metadata operations of its own to buy")
    if system.efa:
        yield Conflict(key=(*key, "efa"), message="FSx has EFA on persistent_2 only")
    if system.backup_retention_days:
        message = "FSx makes no backups of scratch file systems: keep what matters in S3, or use persistent_2"
        yield Conflict(key=(*key, "backup_retention_days"), message=message)


def _efa(name: str, system: LustreConfig, config: StackConfig) -> Iterator[Conflict]:
    if not system.efa or system.deployment != "persistent_2":
        return
    key = ("lustre", name)
    step = EFA_STEP_GIB.get(system.throughput_mb_s_per_tib or 0)
    if step and system.capacity_gib % step:
        message = f"with efa and {system.throughput_mb_s_per_tib} MB/s for each TiB it is a multiple of {step}"
        yield Conflict(key=(*key, "capacity_gib"), message=message)
    users = [pool for pool in config.pools.values() if pool.adapters and pool.zone == system.zone]
    if not users:
        message = f"no pool in {system.zone} has nodes with EFA, and EFA does not leave a zone"
        yield Conflict(key=(*key, "efa"), message=message)


def _backup_of_a_link(name: str, system: LustreConfig, config: StackConfig) -> Iterator[Conflict]:
    if system.link is not None and system.backup_retention_days:
        message = (
            'FSx makes no backups of a file system that is linked to a bucket (FSx for Lustre guide, "Working with '
            'backups"): the bucket protects what is exported'
        )
        yield Conflict(key=("lustre", name, "backup_retention_days"), message=message)


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


RULES = (_capacity, _throughput, _only_persistent, _efa, _backup_of_a_link, _zone)
