"""The lustre section: FSx for Lustre file systems.

Source where none is named: FSx API reference, CreateFileSystem and CreateFileSystemLustreConfiguration.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Section
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
