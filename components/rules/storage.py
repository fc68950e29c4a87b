"""What buckets' tiers and locks forbid, and how many tags fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.settings.section import Conflict
from components.settings.stack import StackConfig
from components.settings.storage import MOST_TAGS

from .places import place_of

_OWN_TAGS = 3  # the name, and the two that say whose everything is


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
