"""The backup section: what AWS Backup keeps, where, for how long, and whether it can be had back.

Source where none is named: AWS Backup developer guide, "Backup plan options and configuration".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Section
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
