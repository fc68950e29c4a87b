"""The monitoring section."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from components.accelerators import CATALOGUE

from .pools import InstanceTypeName
from .section import Conflict, Section, rule_of

# Without chips, which nothing there uses, and of the image's processor.
WATCHING_TYPES = tuple(row.name for row in CATALOGUE.values() if not row.chips and row.architecture == "x86_64")


class MonitoringConfig(Section):
    """The machine that watches the others."""

    instance_type: InstanceTypeName = Field(description="A type without accelerators.")
    disk_size_gb: int = Field(default=50, ge=20, le=16384, description="Root volume with all measurements, GB.")
    gpu_metrics: bool = Field(
        default=False,
        description="DCGM's exporter on every node with NVIDIA GPUs; alerts of XID errors, memory errors and heat.",
    )
    retention_days: int = Field(default=30, ge=1, le=3650, description="Days that measurements are kept.")
    scrape_interval_s: int = Field(default=15, ge=1, le=60, description="Seconds between two looks at a node.")
    node_down_s: int = Field(default=60, ge=1, le=3600, description="Seconds of silence until NodeDown fires.")
    cpu_percent: int = Field(default=90, ge=1, le=100, description="NodeCPUHigh fires above it; 100: never.")
    memory_percent: int = Field(default=90, ge=1, le=100, description="NodeMemoryHigh fires above it; 100: never.")
    disk_percent: int = Field(default=87, ge=1, le=100, description="NodeDiskFull fires above it; 100: never.")


@rule_of(MonitoringConfig)
def _type(monitoring: MonitoringConfig) -> Iterator[Conflict]:
    row = CATALOGUE[monitoring.instance_type]
    if row.name not in WATCHING_TYPES:
        what = "accelerators, which nothing there uses" if row.chips else "another processor than the image, which is "
        what += "" if row.chips else "for x86_64"
        yield Conflict(key=("instance_type",), message=f"{row.name} has {what}", allowed=WATCHING_TYPES)
