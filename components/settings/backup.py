"""The backup section: what AWS Backup keeps, where, for how long, and whether it can be had back.

Source where none is named: AWS Backup developer guide, "Backup plan options and configuration".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Conflict, Section, WrongByItself, rule_of
from .values import Name

Every = Literal["hour", "4_hours", "12_hours", "day", "week", "month"]

EVERY_MINUTES: Mapping[Every, int] = MappingProxyType(
    {"hour": 60, "4_hours": 240, "12_hours": 720, "day": 1440, "week": 10_080, "month": 44_640}
)
"""From one backup to the next, at most: a month has up to 31 days."""

# AWS Backup guide, "Continuous backups and point-in-time restore": 1 to 35 days; S3's newest 15 minutes may be missing.
CONTINUOUS_DAYS, CONTINUOUS_MINUTES = 35, 15

COLD_DAYS = 90  # what is in cold storage stays there for 90 days at least

WINDOW_MINUTES = 60  # the shortest window in which a job starts, and how much longer it has to complete

CHANGEABLE_DAYS = 3  # AWS Backup API reference, PutBackupVaultLockConfiguration: the least

_LONGEST_DAYS = 36_500  # the same: the longest retention

TopicArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$")]


class BackupCopyConfig(Section):
    """A copy of every backup of a rule in the recovery region's vault."""

    retention_days: int = Field(ge=1, le=_LONGEST_DAYS, description="Days that a copy is kept.")
    cold_storage_days: int | None = Field(
        default=None, ge=1, le=_LONGEST_DAYS, description="Days until it moves to cold storage; absent: never."
    )


class BackupRuleConfig(Section):
    """When backups are made, and how long they are kept. Times are UTC."""

    every: Every = Field(
        default="day", description="How often: what the recovery point of what is chosen can be at best."
    )
    hour_utc: int = Field(
        default=3,
        ge=0,
        le=23,
        description="The hour of the day, of Sunday, or of the first of the month; one of several a day.",
    )
    start_window_minutes: int = Field(
        default=60, ge=WINDOW_MINUTES, le=1440, description="Minutes within which a backup starts, or is missed."
    )
    completion_window_minutes: int = Field(
        default=720, ge=2 * WINDOW_MINUTES, le=10_080, description="Minutes after which what runs is given up."
    )
    retention_days: int = Field(ge=1, le=_LONGEST_DAYS, description="Days that a backup is kept.")
    cold_storage_days: int | None = Field(
        default=None,
        ge=1,
        le=_LONGEST_DAYS,
        description="Days until it moves to cold storage, of EFS only, which then keeps it for 90 more at least; "
        "absent: never.",
    )
    continuous: bool = Field(
        default=False,
        description="Buckets can be had back as they were at any second of the last 35 days at most; what else the "
        "plan chooses is backed up as often as `every` says.",
    )
    recovery_copy: BackupCopyConfig | None = Field(
        default=None, description="Copies each to the recovery region; absent: a loss of the region loses it."
    )

    def kept(self) -> Iterator[tuple[tuple[str, ...], BackupRuleConfig | BackupCopyConfig]]:
        """What it keeps in either vault, and where in the rule that is said."""
        yield (), self
        if self.recovery_copy is not None:
            yield ("recovery_copy",), self.recovery_copy


class BackupPlanConfig(Section):
    """Rules, and the datasets whose buckets and file systems they are for: each as a whole, and once."""

    rules: dict[Name, BackupRuleConfig] = Field(min_length=1, max_length=10, description="Rules by name.")
    classes: tuple[Literal["critical", "important", "reproducible", "scratch"], ...] = Field(
        default=(), strict=False, description="Every dataset of these classes."
    )
    datasets: tuple[Name, ...] = Field(default=(), strict=False, description="Datasets by name, beside those.")


class BackupLockConfig(Section):
    """What both vaults refuse: to delete a backup before its time, and to keep one outside these limits."""

    mode: Literal["governance", "compliance"] = Field(
        default="governance",
        description="governance: roles with backup:DeleteBackupVaultLockConfiguration may lift the lock; compliance: "
        "nobody can, AWS and the account's root included, once changeable_days have passed.",
    )
    min_retention_days: int = Field(ge=1, le=_LONGEST_DAYS, description="The shortest retention that is taken.")
    max_retention_days: int | None = Field(
        default=None, ge=1, le=_LONGEST_DAYS, description="The longest; absent: no limit."
    )
    changeable_days: int | None = Field(
        default=None,
        ge=CHANGEABLE_DAYS,
        le=_LONGEST_DAYS,
        description="Compliance only: days from its making until the lock is final.",
    )
    irreversible: bool = Field(
        default=False, description="Must be true for compliance: a lock that is final outlives the stack."
    )


class RestoreTestConfig(Section):
    """Restores on a schedule of what plans have kept, beside the original, which are deleted afterwards."""

    every: Literal["day", "week", "month"] = Field(default="week", description="How often.")
    hour_utc: int = Field(default=6, ge=0, le=23, description="The hour of the day, of Sunday, or of the first.")
    recovery_point: Literal["latest", "random"] = Field(
        default="latest", description="Which one: of what is old, random finds what nobody has looked at."
    )
    within_days: int = Field(default=30, ge=1, le=365, description="How old it may be.")
    start_window_hours: int = Field(default=8, ge=1, le=168, description="Hours over which restores are spread.")
    hold_hours: int = Field(
        default=4, ge=1, le=168, description="Hours that what was restored stays, for whoever checks it; it bills."
    )


class BackupConfig(Section):
    """AWS Backup: a vault in the stack's region and, for copies, in the recovery region."""

    plans: dict[Name, BackupPlanConfig] = Field(min_length=1, max_length=20, description="Plans by name.")
    lock: BackupLockConfig | None = Field(
        default=None, description="Locks the vaults; absent: who may delete backups, can."
    )
    restore_test: RestoreTestConfig | None = Field(
        default=None, description="Proves that backups can be restored; absent: nobody knows until it matters."
    )
    notification_topic_arn: TopicArn | None = Field(
        default=None,
        description="An SNS topic of the stack's region that lets backup.amazonaws.com publish, told of what failed "
        "and of restores; absent: the topic of alerts, or nobody where the stack has no alerts. The recovery region's "
        "vault tells the topic of alerts there.",
    )

    @property
    def has_copies(self) -> bool:
        """Whether any rule copies to the recovery region."""
        return any(rule.recovery_copy for plan in self.plans.values() for rule in plan.rules.values())


@rule_of(BackupRuleConfig)
def _windows(rule: BackupRuleConfig) -> Iterator[Conflict]:
    least = rule.start_window_minutes + WINDOW_MINUTES
    if rule.completion_window_minutes < least:
        message = (
            f"{rule.completion_window_minutes} minutes must be {least} at least: {WINDOW_MINUTES} more than "
            "start_window_minutes, or a backup that starts late is given up at once"
        )
        yield Conflict(key=("completion_window_minutes",), message=message)


@rule_of(BackupRuleConfig)
def _continuous(rule: BackupRuleConfig) -> Iterator[Conflict]:
    if rule.continuous and rule.retention_days > CONTINUOUS_DAYS:
        message = (
            f"AWS Backup keeps continuous backups for {CONTINUOUS_DAYS} days at most: for longer add a rule "
            "without continuous"
        )
        yield Conflict(key=("retention_days",), message=message)
    if rule.continuous and rule.retention_days * 1440 <= EVERY_MINUTES[rule.every]:
        message = "it must be more than the time between two backups, or what there is expires before the next"
        yield Conflict(key=("retention_days",), message=message)


@rule_of(BackupRuleConfig)
@rule_of(BackupCopyConfig)
def _cold(kept: BackupRuleConfig | BackupCopyConfig) -> Iterator[Conflict]:
    if kept.cold_storage_days is not None and kept.retention_days < kept.cold_storage_days + COLD_DAYS:
        message = (
            f"{kept.retention_days} days must be {kept.cold_storage_days + COLD_DAYS} at least: what moves to "
            f"cold storage after {kept.cold_storage_days} stays there for {COLD_DAYS}"
        )
        yield Conflict(key=("retention_days",), message=message)


@rule_of(BackupLockConfig)
def _lock(lock: BackupLockConfig) -> Iterator[Conflict]:
    if lock.max_retention_days is not None and lock.max_retention_days < lock.min_retention_days:
        message = f"{lock.max_retention_days} days are less than min_retention_days {lock.min_retention_days}"
        yield Conflict(key=("max_retention_days",), message=message)
    if lock.mode != "compliance" and lock.changeable_days is not None:
        message = "with these days AWS makes a lock that nobody can lift: leave them out, or say mode: compliance"
        yield Conflict(key=("changeable_days",), message=message)


@rule_of(BackupLockConfig)
def _compliance(lock: BackupLockConfig) -> Iterator[Conflict]:
    if lock.mode == "compliance" and not lock.irreversible:
        message = (
            "nobody can lift a compliance lock, shorten it or delete what it holds, AWS included: say irreversible: "
            "true if that is meant, or take governance"
        )
        yield Conflict(key=("mode",), message=message)
    if lock.mode == "compliance" and lock.changeable_days is None:
        message = "compliance needs changeable_days: how long it can still be taken back, 3 at least"
        yield Conflict(key=("mode",), message=message)


@rule_of(BackupConfig)
def _limits(backup: BackupConfig) -> Iterator[Conflict]:
    lock = backup.lock
    if lock is None:
        return
    found = ((plan, name, rule) for plan, one in backup.plans.items() for name, rule in one.rules.items())
    for plan, name, rule in found:
        key = ("plans", plan, "rules", name)
        with suppress(WrongByItself):  # of one rule: the others are asked all the same
            yield from (Conflict(key=(*key, *inner), message=message) for inner, message in _outside(lock, rule))


def _outside(lock: BackupLockConfig, rule: BackupRuleConfig) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, kept in rule.kept():
        if not lock.min_retention_days <= kept.retention_days <= (lock.max_retention_days or kept.retention_days):
            limits = f"{lock.min_retention_days} to {lock.max_retention_days or 'any number of'} days"
            message = f"{kept.retention_days} days are outside backup.lock, which takes {limits}: every job fails"
            yield (*key, "retention_days"), message
