"""What EBS sells in a class of disks."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.ebs import IOPS, IOPS_PER_MIB_S, EbsClassConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _iops(name: str, disk: EbsClassConfig, config: StackConfig) -> Iterator[Conflict]:
    key, bounds = ("ebs", name), IOPS.get(disk.type)
    if disk.iops is None:
        if disk.type == "io2":
            yield Conflict(key=(*key, "type"), message="io2 needs iops beside it: they are what is bought")
    elif bounds is None:
        yield Conflict(key=(*key, "iops"), message=f"{disk.type} has no operations to buy: its size decides")
    elif not bounds[0] <= disk.iops <= bounds[1]:
        yield Conflict(key=(*key, "iops"), message=f"{disk.type} has {bounds[0]} to {bounds[1]}, not {disk.iops}")


def _throughput(name: str, disk: EbsClassConfig, config: StackConfig) -> Iterator[Conflict]:
    if disk.throughput_mib_s is None:
        return
    key, iops = ("ebs", name, "throughput_mib_s"), disk.iops or IOPS["gp3"][0]
    if disk.type != "gp3":
        yield Conflict(key=key, message=f"only gp3 sells throughput; that of {disk.type} follows from the rest")
    elif disk.throughput_mib_s * IOPS_PER_MIB_S > iops:
        message = f"{disk.throughput_mib_s} MiB/s needs {disk.throughput_mib_s * IOPS_PER_MIB_S} iops, not {iops}"
        yield Conflict(key=key, message=message)


def _one_default(name: str, disk: EbsClassConfig, config: StackConfig) -> Iterator[Conflict]:
    first = next((one for one, other in config.ebs.items() if other.default), name)
    if disk.default and name != first:
        message = f"{first} is the default already, and of two Kubernetes takes the newer"
        yield Conflict(key=("ebs", name, "default"), message=message)


RULES = (_iops, _throughput, _one_default)
