"""The storage section: the buckets, and the datasets in them and elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from .datasets import DatasetConfig
from .section import Conflict, Section, rule_of
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
        default=None,
        ge=1,
        le=36_500,
        description="Days until anything in the checkpoint bucket expires; absent: never. Verdicts of smoke tests are "
        "in the data bucket, where nothing does.",
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


@rule_of(StorageConfig)
def _one_way_to_cheaper_tiers(storage: StorageConfig) -> Iterator[Conflict]:
    if storage.data_intelligent_tiering and storage.data_infrequent_days is not None:
        message = (
            "Intelligent-Tiering moves data to infrequent access by itself, and a rule that moves it as well would "
            "take it out of there: keep data_infrequent_days or data_intelligent_tiering"
        )
        yield Conflict(key=("data_infrequent_days",), message=message)


@rule_of(StorageConfig)
def _expiry_before_the_lock(storage: StorageConfig) -> Iterator[Conflict]:
    lock = storage.object_lock
    if lock is None or "checkpoints" not in lock.buckets or storage.checkpoint_days is None:
        return
    kept = storage.checkpoint_days + storage.noncurrent_days
    if kept < lock.days:
        message = (
            f"checkpoints would be gone after {kept} days (with noncurrent_days), and object_lock keeps each for "
            f"{lock.days}: S3 deletes no locked version, so the expiry promises what cannot be"
        )
        yield Conflict(key=("checkpoint_days",), message=message)
