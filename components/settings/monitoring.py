"""The monitoring section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from components.accelerators import CATALOGUE, OFFERS_SOURCE, regions_with

from .pools import InstanceTypeName
from .section import Conflict, Section

if TYPE_CHECKING:
    from .stack import StackConfig


class MonitoringConfig(Section):
    """The machine that watches the others."""

    instance_type: InstanceTypeName = Field(description="A type without accelerators.")
    disk_size_gb: int = Field(default=50, ge=20, le=16384, description="Root volume with all measurements, GB.")
    retention_days: int = Field(default=30, ge=1, le=3650, description="Days that measurements are kept.")
    scrape_interval_s: int = Field(default=15, ge=1, le=60, description="Seconds between two looks at a node.")
    node_down_s: int = Field(default=60, ge=1, le=3600, description="Seconds of silence until NodeDown fires.")
    cpu_percent: int = Field(default=90, ge=1, le=100, description="NodeCPUHigh fires above it; 100: never.")
    memory_percent: int = Field(default=90, ge=1, le=100, description="NodeMemoryHigh fires above it; 100: never.")
    disk_percent: int = Field(default=87, ge=1, le=100, description="NodeDiskFull fires above it; 100: never.")


def _type(config: StackConfig) -> Iterator[Conflict]:
    if config.monitoring is None:
        return
    row, region = CATALOGUE[config.monitoring.instance_type], config.aws.region
    if row.chips:
        what = "has accelerators, which nothing there uses"
    elif row.architecture != "x86_64":
        what = "has another processor than the image, which is for x86_64"
    elif region not in (regions_with(row.name) or (region,)):
        what = f"is not sold in {region} ({OFFERS_SOURCE})"
    else:
        return
    fitting = (other for other in CATALOGUE.values() if not other.chips and other.architecture == "x86_64")
    allowed = tuple(other.name for other in fitting if region in (regions_with(other.name) or (region,)))
    yield Conflict(key=("monitoring", "instance_type"), message=f"{row.name} {what}", allowed=allowed)


RULES = (_type,)
