"""The storage section: the buckets, and the datasets in them and elsewhere."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .datasets import DatasetConfig
from .section import Section
from .values import Name

MOST_TAGS = 50  # AWS tagging guide, "Tag naming limits"

Bucket = Literal["data", "checkpoints"]


class ObjectLockConfig(Section):
    """Versions of objects that nobody deletes or overwrites before their time."""

    mode: Literal["governance", "compliance"] = Field(
        default="governance",
        description="governance: roles with s3:BypassGovernanceRetention may delete; compliance: nobody may, not even "
        "the account's root.",
    )
    days: int = Field(ge=1, le=36_500, description="Days that every version is kept from its creation on.")
    buckets: tuple[Bucket, ...] = Field(
        default=("checkpoints",), strict=False, min_length=1, description="The buckets that are locked."
    )


class StorageConfig(Section):
    """The data and the checkpoint bucket, and what lies in them and in the file systems."""

    noncurrent_days: int = Field(
        default=30, ge=1, le=36_500, description="Days an overwritten or deleted object can still be had."
    )
    checkpoint_days: int | None = Field(
        default=None, ge=1, le=36_500, description="Days until a checkpoint expires; absent: never."
    )
    data_infrequent_days: int | None = Field(
        default=None, ge=30, le=36_500, description="Days until data moves to infrequent access."
    )
    data_intelligent_tiering: bool = Field(
        default=False,
        description="Data goes to Intelligent-Tiering, where S3 moves what nobody reads to cheaper tiers by itself.",
    )
    object_lock: ObjectLockConfig | None = Field(
        default=None, description="Locks versions against deletion; absent: the noncurrent days alone protect them."
    )
    datasets: dict[Name, DatasetConfig] = Field(
        default_factory=dict, max_length=30, description="What is kept, by name: where, whose, and how well protected."
    )
