"""The lustre section: FSx for Lustre file systems.

Source where none is named: FSx API reference, CreateFileSystem and CreateFileSystemLustreConfiguration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Conflict, Section, rule_of
from .values import RetentionDays, enumeration, one_of

SMALLEST_GIB, STEP_GIB = 1200, 2400

LARGEST_GIB = 2_400_000  # beyond what the default quotas give; a typing error more often than a wish

THROUGHPUTS = (125, 250, 500, 1000)

# With EFA the capacity comes in larger steps, by throughput: FSx for Lustre guide, "Increasing storage capacity".
EFA_STEP_GIB: Mapping[int, int] = MappingProxyType({125: 38_400, 250: 19_200, 500: 9_600, 1000: 4_800})

METADATA_IOPS = (1500, 3000, 6000, *range(12_000, 192_001, 12_000))

Throughput = Annotated[int, one_of("throughput", THROUGHPUTS), enumeration(THROUGHPUTS)]

MetadataIops = Annotated[int, one_of("number of metadata operations", METADATA_IOPS), enumeration(METADATA_IOPS)]

Event = Literal["new", "changed", "deleted"]

_ALL_EVENTS: tuple[Event, ...] = ("new", "changed", "deleted")


class LustreLinkConfig(Section):
    """A folder of the file system that mirrors a prefix of a bucket: a data repository association."""

    bucket: Literal["data", "checkpoints"] = Field(default="data", description="The bucket.")
    prefix: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9!_.*'()-]+/)*$")] = Field(
        default="", description="Prefix in the bucket, ending in a slash; empty: all of it."
    )
    path: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]+)+$")] = Field(
        default="/data", description="Folder in the file system."
    )
    import_events: tuple[Event, ...] = Field(
        default=_ALL_EVENTS, strict=False, description="Changes in the bucket that appear as files; empty: none."
    )
    export_events: tuple[Event, ...] = Field(
        default=_ALL_EVENTS, strict=False, description="Changes of files that go to the bucket; empty: none."
    )


class LustreConfig(Section):
    """A file system in one zone, for data that many nodes read at once."""

    deployment: Literal["persistent_2", "scratch_2"] = Field(
        default="persistent_2", description="scratch_2 keeps one copy of the data: for what can be read again from S3."
    )
    capacity_gib: int = Field(
        ge=SMALLEST_GIB, le=LARGEST_GIB, description="1200, or a multiple of 2400; larger steps with efa."
    )
    throughput_mb_s_per_tib: Throughput | None = Field(
        default=None, description="Throughput for each TiB, persistent_2 only; scratch_2 has 200 MB/s."
    )
    zone: str = Field(description="The zone it is in: the one of the nodes that read it.")
    efa: bool = Field(
        default=False,
        description="Nodes may read over EFA, once their LNet is set up for it (EKS guide, Optimize FSx for Lustre "
        "performance on nodes); until then over TCP.",
    )
    metadata_iops: MetadataIops | None = Field(
        default=None, description="Metadata operations a second, persistent_2 only; absent: grows with the capacity."
    )
    compression: bool = Field(default=True, description="LZ4 compression of what is written.")
    link: LustreLinkConfig | None = Field(default=None, description="Mirrors a bucket's prefix; absent: no tie to S3.")
    backup_retention_days: int = Field(
        default=0, ge=0, le=90, description="Days that daily backups are kept; 0: there are none."
    )
    log_retention_days: RetentionDays = Field(default=90, description="How long logs of the link are kept.")


@rule_of(LustreConfig)
def _capacity(system: LustreConfig) -> Iterator[Conflict]:
    size = system.capacity_gib
    if size != SMALLEST_GIB and size % STEP_GIB:
        below = size - size % STEP_GIB or SMALLEST_GIB
        message = f"{size} GiB is sold by nobody: {SMALLEST_GIB} or a multiple of {STEP_GIB}, so {below} or "
        message += f"{size - size % STEP_GIB + STEP_GIB}"
        yield Conflict(key=("capacity_gib",), message=message)


@rule_of(LustreConfig)
def _throughput(system: LustreConfig) -> Iterator[Conflict]:
    given = system.throughput_mb_s_per_tib
    if system.deployment == "scratch_2" and given is not None:
        message = "scratch_2 has 200 MB/s for each TiB and no choice: leave it out"
        yield Conflict(key=("throughput_mb_s_per_tib",), message=message)
    elif system.deployment == "persistent_2" and given is None:
        allowed = tuple(map(str, THROUGHPUTS))
        message = "persistent_2 needs a throughput_mb_s_per_tib beside it: it decides the price"
        yield Conflict(key=("deployment",), message=message, allowed=allowed)


@rule_of(LustreConfig)
def _only_persistent(system: LustreConfig) -> Iterator[Conflict]:
    if system.deployment == "persistent_2":
        return
    if system.metadata_iops is not None:
        yield Conflict(key=("metadata_iops",), message="scratch_2 has no metadata operations of its own to buy")
    if system.efa:
        yield Conflict(key=("efa",), message="FSx has EFA on persistent_2 only")
    if system.backup_retention_days:
        message = "FSx makes no backups of scratch file systems: keep what matters in S3, or use persistent_2"
        yield Conflict(key=("backup_retention_days",), message=message)


@rule_of(LustreConfig)
def _backup_of_a_link(system: LustreConfig) -> Iterator[Conflict]:
    if system.link is not None and system.backup_retention_days:
        message = (
            'FSx makes no backups of a file system that is linked to a bucket (FSx for Lustre guide, "Working with '
            'backups"): the bucket protects what is exported'
        )
        yield Conflict(key=("backup_retention_days",), message=message)


@rule_of(LustreConfig)
def _steps_with_efa(system: LustreConfig) -> Iterator[Conflict]:
    if not system.efa or system.deployment != "persistent_2":
        return
    step = EFA_STEP_GIB.get(system.throughput_mb_s_per_tib or 0)
    if step and system.capacity_gib % step:
        message = f"with efa and {system.throughput_mb_s_per_tib} MB/s for each TiB it is a multiple of {step}"
        yield Conflict(key=("capacity_gib",), message=message)
