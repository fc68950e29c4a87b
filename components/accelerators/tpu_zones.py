"""Which zones of Google Cloud have which TPUs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import tpu

ZONES_SOURCE = "Google Cloud TPU documentation, TPU regions and zones"

# Zones for everybody, and those that are had by agreement: a reservation may be in either. TPU7x is not in the public
# table, so that nothing is known of it.
_ZONES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        tpu.V5E.name: (
            "us-central1-a", "us-east5-a", "us-east5-b", "us-east5-c", "us-south1-a", "us-west1-c", "us-west4-a",
            "europe-west4-b", "asia-southeast1-b",
        ),
        tpu.V5P.name: (
            "us-central1-a", "us-east5-a", "us-east5-b", "us-east5-c", "us-south1-a", "europe-west4-b",
        ),
        tpu.V6E.name: (
            "us-central1-b", "us-east1-d", "us-east4-a", "us-east4-b", "us-east5-a", "us-east5-b", "us-east5-c",
            "us-south1-a", "us-south1-b", "us-west1-c", "europe-west4-a", "asia-northeast1-b", "southamerica-west1-a",
        ),
    }
)  # fmt: skip


def zones_with(chip: str) -> tuple[str, ...] | None:
    """The zones that have the chips; ``None`` is unknown."""
    return _ZONES.get(chip)


def region_of(zone: str) -> str:
    """The region that a zone is in."""
    return zone.rpartition("-")[0]
