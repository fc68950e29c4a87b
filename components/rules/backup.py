"""What backups cannot be, cannot keep, or would not protect.

Source where none is named: AWS Backup developer guide, "Backup plan options and configuration".
"""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.backup import (
    CONTINUOUS_MINUTES,
    EVERY_MINUTES,
    BackupPlanConfig,
    BackupRuleConfig,
)
from components.settings.datasets import DatasetConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig

from .places import place_of

Key = tuple[str | int, ...]


def chosen(plan: BackupPlanConfig, config: StackConfig) -> dict[str, DatasetConfig]:
    """The datasets that a plan is for, by name."""
    found = config.storage.datasets.items()
    return {name: one for name, one in found if name in plan.datasets or one.class_ in plan.classes}


def chosen_places(plan: BackupPlanConfig, config: StackConfig) -> tuple[tuple[str, str], ...]:
    """The buckets and file systems that a plan is for, each by its kind and name, and once."""
    found = ((one.kind, place_of(one, config)) for one in chosen(plan, config).values())
    return tuple(sorted({(kind, place) for kind, place in found if place is not None}))


def recovery_point(kind: str, place: str, config: StackConfig, elsewhere: bool = False) -> tuple[int, str] | None:
    """The most minutes of work that plans let a loss of the place take, and why; ``None`` where no plan is for it.

    ``elsewhere``: a loss of the region, which only copies survive; of continuous backups they are snapshots.
    """
    plans = config.backup.plans if config.backup else {}
    rules = [rule for plan in plans.values() if (kind, place) in chosen_places(plan, config) for rule in _of(plan)]
    found = [_point(rule, kind, elsewhere) for rule in rules if rule.recovery_copy or not elsewhere]
    return min(found, default=None)


def _of(plan: BackupPlanConfig) -> tuple[BackupRuleConfig, ...]:
    return tuple(plan.rules.values())


def _point(rule: BackupRuleConfig, kind: str, elsewhere: bool) -> tuple[int, str]:
    if rule.continuous and kind == "s3" and not elsewhere:
        return CONTINUOUS_MINUTES, f"continuous backups lack the last {CONTINUOUS_MINUTES} minutes"
    minutes = EVERY_MINUTES[rule.every]
    return minutes, f"backup's most frequent rule for it runs every {minutes} minutes"


def _datasets(name: str, plan: BackupPlanConfig, config: StackConfig) -> Iterator[Conflict]:
    known, key = tuple(config.storage.datasets), ("backup", "plans", name)
    for index, dataset in enumerate(plan.datasets):
        if dataset not in known:
            message = f"there is no dataset {dataset} under storage.datasets"
            yield Conflict(key=(*key, "datasets", index), message=message, allowed=known, value=dataset)
    if not chosen(plan, config) and set(plan.datasets) <= set(known):
        which = f"no dataset is {' or '.join(plan.classes)}" if plan.classes else "name classes or datasets"
        yield Conflict(key=(*key, "classes") if plan.classes else key, message=f"it would back up nothing: {which}")


def _lustre(name: str, plan: BackupPlanConfig, config: StackConfig) -> Iterator[Conflict]:
    for dataset, one in chosen(plan, config).items():
        place = place_of(one, config)
        if one.kind != "fsx" or place is None:
            continue
        system = config.lustre[place]
        if system.link is not None:
            why = (
                f"{place} is linked to a bucket, and FSx makes no backups of such a file system: choose a dataset in "
                f"the {system.link.bucket} bucket, which has what is exported"
            )
        elif system.deployment == "scratch_2":
            why = f"{place} is scratch, of which FSx makes no backups: use persistent_2, or keep the data in S3"
        else:
            continue
        yield Conflict(key=_choice(name, plan, dataset), message=f"{dataset} cannot be backed up: {why}")


def _choice(name: str, plan: BackupPlanConfig, dataset: str) -> Key:
    """Where the plan says that it is for a dataset."""
    key = ("backup", "plans", name)
    return (*key, "datasets", plan.datasets.index(dataset)) if dataset in plan.datasets else (*key, "classes")


def _copies(name: str, plan: BackupPlanConfig, config: StackConfig) -> Iterator[Conflict]:
    for rule_name, rule in plan.rules.items():
        if rule.recovery_copy is not None and config.recovery is None:
            key = ("backup", "plans", name, "rules", rule_name, "recovery_copy")
            yield Conflict(key=key, message="there is no section recovery, which says the region that it goes to")


def _continuous(name: str, plan: BackupPlanConfig, config: StackConfig) -> Iterator[Conflict]:
    kinds = {kind for kind, _ in chosen_places(plan, config)}
    for rule_name, rule in plan.rules.items():
        key = ("backup", "plans", name, "rules", rule_name)
        if rule.continuous and kinds and "s3" not in kinds:
            message = "only buckets have continuous backups, and the plan is for none"
            yield Conflict(key=(*key, "continuous"), message=message)


def _cold(name: str, plan: BackupPlanConfig, config: StackConfig) -> Iterator[Conflict]:
    others = sorted({"buckets" if kind == "s3" else "FSx" for kind, _ in chosen_places(plan, config) if kind != "efs"})
    for rule_name, rule in plan.rules.items():
        for inner, kept in rule.kept():
            key = ("backup", "plans", name, "rules", rule_name, *inner)
            if kept.cold_storage_days is None:
                continue
            if others:
                message = (
                    f"backups of EFS alone move to cold storage, and the plan is for {' and '.join(others)} too, whose "
                    "would stay where they are: give EFS a plan of its own"
                )
                yield Conflict(key=(*key, "cold_storage_days"), message=message)


def _compliance_without_retention(config: StackConfig) -> Iterator[Conflict]:
    lock = config.backup.lock if config.backup else None
    if lock is not None and lock.mode == "compliance" and not config.retain_data:
        message = (
            "retain_data: false promises that a destroy leaves nothing, and nobody can delete a vault that holds a "
            "locked backup: use governance, or retain_data: true"
        )
        yield Conflict(key=("backup", "lock", "mode"), message=message)


RULES = (_compliance_without_retention,)
PLAN_RULES = (_datasets, _lustre, _copies, _continuous, _cold)
