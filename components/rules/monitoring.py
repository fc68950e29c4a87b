"""What the machine that watches the others may be."""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators import CATALOGUE, OFFERS_SOURCE, Vendor, is_sold_in
from components.settings.monitoring import WATCHING_TYPES
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _sold_in_the_region(config: StackConfig) -> Iterator[Conflict]:
    if config.monitoring is None:
        return
    row, region = CATALOGUE[config.monitoring.instance_type], config.aws.region
    if row.name in WATCHING_TYPES and not is_sold_in(region, row.name):
        allowed = tuple(name for name in WATCHING_TYPES if is_sold_in(region, name))
        message = f"{row.name} is not sold in {region} ({OFFERS_SOURCE})"
        yield Conflict(key=("monitoring", "instance_type"), message=message, allowed=allowed)


def _gpus_to_measure(config: StackConfig) -> Iterator[Conflict]:
    if config.monitoring and config.monitoring.gpu_metrics:
        vendors = {pool.instance.vendor for pool in config.pools.values()}
        if Vendor.NVIDIA not in vendors:
            message = "no pool has NVIDIA GPUs, of which DCGM could tell anything: leave it out"
            yield Conflict(key=("monitoring", "gpu_metrics"), message=message)


RULES = (_sold_in_the_region, _gpus_to_measure)
