"""Where datasets lie, and what their place can promise when something is lost."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.datasets import (
    BACKUP_MINUTES,
    BUCKETS,
    EFS_REPLICATION_MINUTES,
    S3_REPLICATION_MINUTES,
    DatasetConfig,
)
from components.settings.lustre import LustreConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig

from .replication import replicated_buckets, replicated_file_systems


def places(kind: str, config: StackConfig) -> tuple[str, ...]:
    """Where a dataset of ``kind`` can lie."""
    return BUCKETS if kind == "s3" else tuple(config.lustre if kind == "fsx" else config.efs)


def place_of(dataset: DatasetConfig, config: StackConfig) -> str | None:
    """Where the dataset lies; ``None`` where that cannot be told."""
    known = places(dataset.kind, config)
    if dataset.place is not None:
        return dataset.place if dataset.place in known else None
    return known[0] if dataset.kind == "s3" or len(known) == 1 else None


def promise(dataset: DatasetConfig, config: StackConfig) -> tuple[int | None, str]:
    """The least minutes of work that a loss of the place takes, ``None`` where it may take all; and why."""
    place = place_of(dataset, config) or ""
    if dataset.kind == "s3":
        reason = f"S3 Replication Time Control takes up to {S3_REPLICATION_MINUTES} minutes"
        return _replicated(S3_REPLICATION_MINUTES, reason, place, replicated_buckets(config), config)
    if dataset.kind == "efs":
        reason = f"EFS replication takes up to {EFS_REPLICATION_MINUTES} minutes"
        return _replicated(EFS_REPLICATION_MINUTES, reason, place, replicated_file_systems(config), config)
    return _lustre_promise(config.lustre[place], config)


def _replicated(
    minutes: int, reason: str, place: str, replicated: tuple[str, ...], config: StackConfig
) -> tuple[int | None, str]:
    if place in replicated:
        return minutes, reason
    return None, f"a loss of {config.aws.region} takes all of it, unless recovery.replication copies it elsewhere"


def _lustre_promise(system: LustreConfig, config: StackConfig) -> tuple[int | None, str]:
    if system.link is not None:
        if {"new", "changed"} <= set(system.link.export_events):
            reason = f"what is exported is replicated by the bucket, within {S3_REPLICATION_MINUTES} minutes"
            return _replicated(S3_REPLICATION_MINUTES, reason, system.link.bucket, replicated_buckets(config), config)
        return None, "its link does not export what is new and changed, and FSx backs up no linked file system"
    if system.deployment == "scratch_2":
        return None, "a scratch file system keeps one copy of its data, and FSx makes no backups of it"
    return BACKUP_MINUTES, f"it is protected by backups, which run every {BACKUP_MINUTES} minutes at best"


def _place(name: str, dataset: DatasetConfig, config: StackConfig) -> Iterator[Conflict]:
    if place_of(dataset, config) is not None:
        return
    known = places(dataset.kind, config)
    key, section = ("storage", "datasets", name), "lustre" if dataset.kind == "fsx" else "efs"
    if dataset.place is not None:
        what = "bucket" if dataset.kind == "s3" else f"file system under {section}"
        message = f"there is no {what} {dataset.place}"
        yield Conflict(key=(*key, "place"), message=message, allowed=known, value=dataset.place)
    elif known:
        message = f"there are {len(known)} file systems under {section}: name the one as place"
        yield Conflict(key=(*key, "kind"), message=message, allowed=known)
    else:
        yield Conflict(key=(*key, "kind"), message=f"there is no file system under {section}")


def _targets(name: str, dataset: DatasetConfig, config: StackConfig) -> Iterator[Conflict]:
    if dataset.class_ in ("critical", "important") and None in (dataset.rpo_minutes, dataset.rto_minutes):
        message = f"a dataset that is {dataset.class_} needs rpo_minutes and rto_minutes: nobody can plan for less"
        yield Conflict(key=("storage", "datasets", name, "class"), message=message)


def _promised(name: str, dataset: DatasetConfig, config: StackConfig) -> Iterator[Conflict]:
    if place_of(dataset, config) is None:
        return  # told by _place
    minutes, reason = promise(dataset, config)
    key = ("storage", "datasets", name)
    if minutes is None:
        if dataset.rpo_minutes is not None:
            message = f"nothing can promise a recovery point in {place_of(dataset, config)}: {reason}"
            yield Conflict(key=(*key, "rpo_minutes"), message=message)
        elif dataset.class_ in ("critical", "important"):
            message = f"{dataset.class_} data cannot lie in {place_of(dataset, config)}: {reason}"
            yield Conflict(key=(*key, "class"), message=message)
    elif dataset.rpo_minutes is not None and dataset.rpo_minutes < minutes:
        message = f"{dataset.rpo_minutes} minutes is less than {dataset.kind} can promise ({minutes}): {reason}"
        yield Conflict(key=(*key, "rpo_minutes"), message=message)


RULES = (_place, _targets, _promised)
