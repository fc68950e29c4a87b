"""What buckets' tiers and locks forbid, and how many tags fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.settings.section import Conflict
from components.settings.stack import StackConfig
from components.settings.storage import MOST_TAGS

from .places import place_of

_OWN_TAGS = 3  # the name, and the two that say whose everything is


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


RULES = (_tags, _lock_without_retention)
