"""The efs section: files that nodes of all zones share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Conflict, Section, rule_of
from .values import Name, enumeration, one_of

# After how many days without a read EFS moves a file: API reference, LifecyclePolicy.
LIFECYCLE_DAYS = (1, 7, 14, 30, 60, 90, 180, 270, 365)

LifecycleDays = Annotated[int, one_of("number of days", LIFECYCLE_DAYS), enumeration(LIFECYCLE_DAYS)]

_HIGHEST_ID = 4_294_967_295  # EFS API reference, PosixUser


class AccessPointConfig(Section):
    """A folder of the file system as one user sees it, whoever mounts it."""

    path: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]{1,60}){1,4}$")] = Field(
        description="The folder, at most four deep; made where it is not there."
    )
    uid: int = Field(default=1000, ge=1, le=_HIGHEST_ID, description="User that everything is done as; never root.")
    gid: int = Field(default=1000, ge=1, le=_HIGHEST_ID, description="Its group.")
    permissions: Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3}$")] = Field(
        default="0750", description="Of the folder when it is made, octal and quoted."
    )


class EfsConfig(Section):
    """A file system with an address in every zone: homes, code, configuration; not the training data."""

    throughput: Literal["elastic", "bursting"] = Field(
        default="elastic", description="elastic is paid by what is read and written; bursting grows with the content."
    )
    infrequent_days: LifecycleDays | None = Field(
        default=30, description="Days without a read until a file moves to infrequent access; null: never."
    )
    archive_days: LifecycleDays | None = Field(
        default=None, description="Days without a read until a file moves to the archive; absent: never."
    )
    daily_backup: bool = Field(
        default=True,
        description="AWS Backup keeps a copy of every day for 35 days, by EFS' own plan, whatever plans under backup "
        "keep.",
    )
    access_points: dict[Name, AccessPointConfig] = Field(default_factory=dict, description="Folders to mount, by name.")


@rule_of(EfsConfig)
def _archive(system: EfsConfig) -> Iterator[Conflict]:
    key = ("archive_days",)
    if system.archive_days is None:
        return
    if system.throughput != "elastic":
        message = 'EFS archives with elastic throughput only (EFS guide, "Managing storage lifecycle")'
        yield Conflict(key=key, message=message)
    if system.infrequent_days is None or system.archive_days <= system.infrequent_days:
        first = "never" if system.infrequent_days is None else f"after {system.infrequent_days} days"
        message = f"{system.archive_days} days must be more than until infrequent access, which is {first}"
        yield Conflict(key=key, message=message)
