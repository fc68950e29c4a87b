"""What is copied to the recovery region."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.section import Conflict
from components.settings.stack import StackConfig


def replicated_buckets(config: StackConfig) -> tuple[str, ...]:
    """The buckets that have a replica in the recovery region."""
    replication = config.recovery.replication if config.recovery else None
    return tuple(dict.fromkeys(replication.buckets)) if replication else ()


def replicated_file_systems(config: StackConfig) -> tuple[str, ...]:
    """The EFS file systems that have one."""
    replication = config.recovery.replication if config.recovery else None
    if replication is None:
        return ()
    return tuple(config.efs if replication.file_systems is None else dict.fromkeys(replication.file_systems))


def _file_systems(config: StackConfig) -> Iterator[Conflict]:
    for index, name in enumerate(replicated_file_systems(config)):
        if name not in config.efs:
            key = ("recovery", "replication", "file_systems", index)
            message = f"there is no file system {name} under efs"
            yield Conflict(key=key, message=message, allowed=tuple(config.efs), value=name)


RULES = (_file_systems,)
