"""What a TPU slice and its cluster may not be: rules between values, the catalogue and where Google sells what.

Source where none is named: GKE documentation, Plan TPUs in GKE, and what GoogleCloudPlatform/cluster-toolkit asserts in
its module gke-node-pool.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators.tpu_zones import ZONES_SOURCE, region_of, zones_with
from components.settings.section import Conflict
from components.settings.stack import StackConfig
from components.settings.tpu import TpuPoolConfig


def _zone_with_the_chips(name: str, pool: TpuPoolConfig, config: StackConfig) -> Iterator[Conflict]:
    assert config.tpu is not None
    key, chip = ("tpu", "pools", name, "zone"), pool.machine.chip
    zones = zones_with(chip.name) if chip else None
    if region_of(pool.zone) != config.tpu.region:
        here = tuple(zone for zone in zones or () if region_of(zone) == config.tpu.region)
        message = f"{pool.zone} is not in tpu.region {config.tpu.region}, where the cluster is"
        yield Conflict(key=key, message=message, allowed=here)
    elif chip and zones is not None and pool.zone not in zones:
        message = f"{pool.zone} has no {chip.name} ({ZONES_SOURCE})"
        yield Conflict(key=key, message=message, allowed=zones)


POOL_RULES = (_zone_with_the_chips,)
