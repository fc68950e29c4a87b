"""What the machine that watches the others may be."""

from __future__ import annotations

from collections.abc import Iterator

from components.accelerators import CATALOGUE, OFFERS_SOURCE, Vendor, is_sold_in
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _type(config: StackConfig) -> Iterator[Conflict]:
    if config.monitoring is None:
        return
    row, region = CATALOGUE[config.monitoring.instance_type], config.aws.region
    if row.chips:
        what = "has accelerators, which nothing there uses"
    elif row.architecture != "x86_64":
        what = "has another processor than the image, which is for x86_64"
    elif not is_sold_in(region, row.name):
        what = f"is not sold in {region} ({OFFERS_SOURCE})"
    else:
        return
    fitting = (other for other in CATALOGUE.values() if not other.chips and other.architecture == "x86_64")
    allowed = tuple(other.name for other in fitting if is_sold_in(region, other.name))
    yield Conflict(key=("monitoring", "instance_type"), message=f"{row.name} {what}", allowed=allowed)


def _gpus_to_measure(config: StackConfig) -> Iterator[Conflict]:
    if config.monitoring and config.monitoring.gpu_metrics:
        vendors = {pool.instance.vendor for pool in config.pools.values()}
        if Vendor.NVIDIA not in vendors:
            message = "no pool has NVIDIA GPUs, of which DCGM could tell anything: leave it out"
            yield Conflict(key=("monitoring", "gpu_metrics"), message=message)


RULES = (_type, _gpus_to_measure)
