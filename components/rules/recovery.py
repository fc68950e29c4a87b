"""What the recovery region's range of addresses may not overlap, and where it may be."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _other_region(config: StackConfig) -> Iterator[Conflict]:
    if config.recovery and config.recovery.region == config.aws.region:
        message = f"{config.recovery.region} is the stack's own region (aws:region): its loss would take both"
        yield Conflict(key=("recovery", "region"), message=message)


def _vpc(config: StackConfig) -> Iterator[Conflict]:
    if config.recovery and config.recovery.cidr.overlaps(config.network.cidr):
        message = f"{config.recovery.cidr} overlaps network.cidr {config.network.cidr}: AWS peers no such VPCs"
        yield Conflict(key=("recovery", "cidr"), message=message)


def _services(config: StackConfig) -> Iterator[Conflict]:
    if config.recovery and config.recovery.cidr.overlaps(config.cluster.service_cidr):
        message = f"{config.recovery.cidr} overlaps cluster.service_cidr {config.cluster.service_cidr}"
        yield Conflict(key=("recovery", "cidr"), message=f"{message}: pods could not reach it")


def _reserved_ranges(config: StackConfig) -> Iterator[Conflict]:
    for reserved in config.network.reserved_cidrs if config.recovery else ():
        if config.recovery and config.recovery.cidr.overlaps(reserved):
            message = f"{config.recovery.cidr} overlaps network.reserved_cidrs {reserved}"
            message += ", which are others' ranges: this one is known from here and needs no reservation"
            yield Conflict(key=("recovery", "cidr"), message=message)


RULES = (_other_region, _vpc, _services, _reserved_ranges)
