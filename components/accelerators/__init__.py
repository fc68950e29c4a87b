"""The catalogue: what each machine type is. The one source of these numbers for templates, pods, floors and cost.

Every number carries the tag of its source (:data:`SOURCES`); what nobody publishes is ``None``, never a guess.
``docs/catalogue.md`` is made from these rows.
"""

from collections.abc import Mapping
from types import MappingProxyType

from . import cpu, neuron, nvidia, tpu
from .model import (
    EFA_RESOURCE,
    GIGA,
    HUGE_PAGES_MIB,
    HUGE_PAGES_RESOURCE,
    TERA,
    AllReduce,
    Anchor,
    Capacity,
    Chip,
    Cloud,
    InstanceType,
    Precision,
    Price,
    Vendor,
)
from .offers import OFFERS_SOURCE, is_sold_in, regions_with, zones_of
from .sources import SOURCES

CATALOGUE: Mapping[str, InstanceType] = MappingProxyType(
    {row.name: row for row in (*cpu.ROWS, *nvidia.ROWS, *neuron.ROWS, *tpu.ROWS)}
)
EC2_TYPES: tuple[str, ...] = tuple(name for name, row in CATALOGUE.items() if row.cloud is Cloud.AWS)
TPU_TYPES: tuple[str, ...] = tuple(name for name, row in CATALOGUE.items() if row.cloud is Cloud.GOOGLE)

__all__ = [
    "CATALOGUE",
    "EC2_TYPES",
    "EFA_RESOURCE",
    "GIGA",
    "HUGE_PAGES_MIB",
    "HUGE_PAGES_RESOURCE",
    "OFFERS_SOURCE",
    "SOURCES",
    "TERA",
    "TPU_TYPES",
    "AllReduce",
    "Anchor",
    "Capacity",
    "Chip",
    "Cloud",
    "InstanceType",
    "Precision",
    "Price",
    "Vendor",
    "is_sold_in",
    "regions_with",
    "zones_of",
]
