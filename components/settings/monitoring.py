"""The monitoring section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from ..accelerators import CATALOGUE
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


def _type(config: StackConfig) -> Iterator[Conflict]:
    if config.monitoring and CATALOGUE[config.monitoring.instance_type].chips:
        what = f"{config.monitoring.instance_type} has accelerators, which nothing there uses"
        plain = tuple(name for name, row in CATALOGUE.items() if not row.chips)
        yield Conflict(key=("monitoring", "instance_type"), message=what, allowed=plain)


RULES = (_type,)
