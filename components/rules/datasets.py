"""Where datasets lie, and what their place can promise when something is lost."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.datasets import (
    BACKUP_MINUTES,
    EFS_REPLICATION_MINUTES,
    S3_REPLICATION_MINUTES,
    DatasetConfig,
)
from components.settings.lustre import LustreConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig

from .backup import recovery_point
from .places import place_of, places
from .replication import replicated_buckets, replicated_file_systems

_OWN_BACKUPS_MINUTES = 1440  # FSx for Lustre guide, "Working with automatic daily backups"


def promise(dataset: DatasetConfig, config: StackConfig) -> tuple[int | None, str]:
    """The least minutes of work that a loss of the place takes, ``None`` where it may take all; and why."""
    place = place_of(dataset, config) or ""
    if dataset.kind == "fsx":
        return _lustre_promise(place, config.lustre[place], config)
    return _elsewhere(dataset.kind, place, config)


def _elsewhere(kind: str, place: str, config: StackConfig) -> tuple[int | None, str]:
    """What a loss of the region leaves of a bucket or an EFS file system: its replica, or copies of its backups."""
    if kind == "s3" and place in replicated_buckets(config):
        return S3_REPLICATION_MINUTES, f"S3 Replication Time Control takes up to {S3_REPLICATION_MINUTES} minutes"
    if kind == "efs" and place in replicated_file_systems(config):
        return EFS_REPLICATION_MINUTES, f"EFS replication takes up to {EFS_REPLICATION_MINUTES} minutes"
    if copied := recovery_point(kind, place, config, elsewhere=True):
        return copied
    lost = f"a loss of {config.aws.region} takes all of it"
    return None, f"{lost}, unless recovery.replication, or a plan under backup, copies it elsewhere"


def _lustre_promise(place: str, system: LustreConfig, config: StackConfig) -> tuple[int | None, str]:
    if system.link is not None:
        if {"new", "changed"} <= set(system.link.export_events):
            if system.link.bucket in replicated_buckets(config):
                reason = f"what is exported is replicated by the bucket, within {S3_REPLICATION_MINUTES} minutes"
                return S3_REPLICATION_MINUTES, reason
            return _elsewhere("s3", system.link.bucket, config)
        return None, "its link does not export what is new and changed, and FSx backs up no linked file system"
    if system.deployment == "scratch_2":
        return None, "a scratch file system keeps one copy of its data, and FSx makes no backups of it"
    if config.backup is None:
        return BACKUP_MINUTES, f"it is protected by backups, which run every {BACKUP_MINUTES} minutes at best"
    if planned := recovery_point("fsx", place, config):
        return planned
    if system.backup_retention_days:
        return _OWN_BACKUPS_MINUTES, "FSx' own backups are daily, and no plan under backup is for it"
    return None, "no plan under backup is for it, and it has no backups of its own"


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


RULES = (_place, _promised)
