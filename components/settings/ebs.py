"""The ebs section: classes of disks that pods may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from .section import Conflict, Section, rule_of

# EBS guide, "Amazon EBS volume types": (fewest, most) operations a second that can be bought.
IOPS = {"gp3": (3000, 80_000), "io2": (100, 256_000)}

MIB_S = (125, 2000)

IOPS_PER_MIB_S = 4  # gp3: at most 0.25 MiB/s for each operation a second


class EbsClassConfig(Section):
    """A storage class of encrypted disks; each is in one zone, with the pod that it was made for."""

    type: Literal["gp3", "io2", "st1", "sc1"] = Field(default="gp3", description="EBS volume type.")
    iops: int | None = Field(
        default=None, ge=100, le=256_000, description="Operations a second; needed by io2; absent: 3000 on gp3."
    )
    throughput_mib_s: int | None = Field(
        default=None, ge=MIB_S[0], le=MIB_S[1], description="MiB/s, gp3 only; absent: 125."
    )
    default: bool = Field(default=False, description="Claims that name no class get this one.")
    retain: bool = Field(default=False, description="The disk outlives its claim, and somebody has to delete it.")


@rule_of(EbsClassConfig)
def _iops(disk: EbsClassConfig) -> Iterator[Conflict]:
    bounds = IOPS.get(disk.type)
    if disk.iops is None:
        if disk.type == "io2":
            yield Conflict(key=("type",), message="io2 needs iops beside it: they are what is bought")
    elif bounds is None:
        yield Conflict(key=("iops",), message=f"{disk.type} has no operations to buy: its size decides")
    elif not bounds[0] <= disk.iops <= bounds[1]:
        yield Conflict(key=("iops",), message=f"{disk.type} has {bounds[0]} to {bounds[1]}, not {disk.iops}")


@rule_of(EbsClassConfig)
def _throughput(disk: EbsClassConfig) -> Iterator[Conflict]:
    if disk.throughput_mib_s is None:
        return
    key, iops = ("throughput_mib_s",), disk.iops or IOPS["gp3"][0]
    if disk.type != "gp3":
        yield Conflict(key=key, message=f"only gp3 sells throughput; that of {disk.type} follows from the rest")
    elif disk.throughput_mib_s * IOPS_PER_MIB_S > iops:
        message = f"{disk.throughput_mib_s} MiB/s needs {disk.throughput_mib_s * IOPS_PER_MIB_S} iops, not {iops}"
        yield Conflict(key=key, message=message)
