"""The storage section: the buckets, and what a lock on them forbids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from .datasets import DatasetConfig, place_of
from .section import Conflict, Section
from .values import Name

if TYPE_CHECKING:
    from .stack import StackConfig

MOST_TAGS = 50  # AWS tagging guide, "Tag naming limits"
_OWN_TAGS = 3  # the name, and the two that say whose everything is

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


def _one_way_to_cheaper_tiers(config: StackConfig) -> Iterator[Conflict]:
    storage = config.storage
    if storage.data_intelligent_tiering and storage.data_infrequent_days is not None:
        message = (
            "Intelligent-Tiering moves data to infrequent access by itself, and a rule that moves it as well would "
            "take it out of there: keep data_infrequent_days or data_intelligent_tiering"
        )
        yield Conflict(key=("storage", "data_infrequent_days"), message=message)


def _expiry_before_the_lock(config: StackConfig) -> Iterator[Conflict]:
    lock, storage = config.storage.object_lock, config.storage
    if lock is None or "checkpoints" not in lock.buckets or storage.checkpoint_days is None:
        return
    kept = storage.checkpoint_days + storage.noncurrent_days
    if kept < lock.days:
        message = (
            f"checkpoints would be gone after {kept} days (with noncurrent_days), and object_lock keeps each for "
            f"{lock.days}: S3 deletes no locked version, so the expiry promises what cannot be"
        )
        yield Conflict(key=("storage", "checkpoint_days"), message=message)


def _lock_without_retention(config: StackConfig) -> Iterator[Conflict]:
    lock = config.storage.object_lock
    if lock is not None and lock.mode == "compliance" and not config.retain_data:
        message = (
            "retain_data: false promises that a destroy deletes the buckets with what is in them, and nobody can "
            f"delete what a compliance lock holds for {lock.days} days: use governance, or retain_data: true"
        )
        yield Conflict(key=("storage", "object_lock", "mode"), message=message)


def _tags(config: StackConfig) -> Iterator[Conflict]:
    """Each dataset is a tag of what it lies in."""
    lying = Counter((one.kind, place_of(one, config)) for one in config.storage.datasets.values())
    for (_, place), number in lying.items():
        if number + len(config.tags) + _OWN_TAGS > MOST_TAGS:
            message = (
                f"{number} of them lie in {place}, each a tag of it, and with those under tags that is more than the "
                f"{MOST_TAGS} tags that AWS puts on one thing"
            )
            yield Conflict(key=("storage", "datasets"), message=message)


RULES = (_tags, _one_way_to_cheaper_tiers, _expiry_before_the_lock, _lock_without_retention)
