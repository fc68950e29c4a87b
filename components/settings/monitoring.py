"""The monitoring section."""

from __future__ import annotations

from pydantic import Field

from .pools import InstanceTypeName
from .section import Section


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
