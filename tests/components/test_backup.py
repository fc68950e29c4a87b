"""Backups: vaults in both regions, plans for what datasets lie in, and a role that can do that and no more."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.backup import Backup, BackupArgs, CopiesArgs, schedule
from components.backup_roles import Where, backup_policy, restore_policy
from components.settings import BackupConfig

from .mocks import ACCOUNT, Cloud, run

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:of-backups"
ALERTS, ALERTS_THERE = (f"arn:aws:sns:{region}:{ACCOUNT}:alerts" for region in ("us-east-1", "us-west-2"))
DATA, HOMES, WORK = "arn:aws:s3:::dc-data", "arn:aws:elasticfilesystem:x:file-system/fs-1", "arn:aws:fsx:x:fs-2"
CONFIG: dict[str, Any] = {
    "plans": {
        "buckets": {
            "classes": ["critical"],
            "rules": {"daily": {"continuous": True, "retention_days": 35, "recovery_copy": {"retention_days": 90}}},
        },
        "files": {
            "datasets": ["homes"],
            "rules": {"monthly": {"every": "month", "retention_days": 365, "cold_storage_days": 30}},
        },
    },
    "lock": {"mode": "compliance", "min_retention_days": 7, "changeable_days": 3, "irreversible": True},
    "restore_test": {"recovery_point": "random", "within_days": 14, "hold_hours": 2},
    "notification_topic_arn": TOPIC,
}


# What is deleted before its successor is made; the mocks are not told.
deleted_first: dict[str, bool | None] = {}


def remember(args: pulumi.ResourceTransformationArgs) -> None:
    deleted_first[args.name] = args.opts.delete_before_replace


@cache
def declared(*without: str, copies: bool = True, alerts: bool = False) -> Cloud:
    def declare() -> None:
        provider = aws.Provider("aws-recovery", region="us-west-2")
        config = BackupConfig.model_validate({name: one for name, one in CONFIG.items() if name not in without})
        there = CopiesArgs(
            region="us-west-2", provider=provider, key_arn="arn:key-there", topic_arn=ALERTS_THERE if alerts else None
        )
        args = BackupArgs(
            name="dc-test", region="us-east-1", account_id=ACCOUNT, config=config, key_arn="arn:key", retain=True,
            resource_arns={"buckets": {("s3", "data"): DATA}, "files": {("efs", "homes"): HOMES, ("s3", "data"): DATA}},
            topic_arn=ALERTS if alerts else None, copies=there if copies else None,
        )  # fmt: skip
        Backup("backup", args, pulumi.ResourceOptions(transformations=[remember]))

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def arn(name: str) -> str:
    return f"arn:aws:mock:us-east-1:{ACCOUNT}:{name}"


def test_each_region_s_vault_is_encrypted_with_its_key_and_locked_alike() -> None:
    cloud = declared()
    vaults = cloud.of("aws:backup/vault:Vault")
    assert {name: (one["name"], one["kmsKeyArn"]) for name, one in vaults.items()} == {
        "backup-vault": ("dc-test-backups", "arn:key"),
        "backup-copies": ("dc-test-copies", "arn:key-there"),
    }
    assert not any(one["forceDestroy"] for one in vaults.values())
    locks = cloud.of("aws:backup/vaultLockConfiguration:VaultLockConfiguration")
    assert set(locks) == {"backup-vault-lock", "backup-copies-lock"}
    assert {(one["minRetentionDays"], one["changeableForDays"]) for one in locks.values()} == {(7, 3)}
    there = {one.name for one in cloud.resources if "aws-recovery" in (one.provider or "")}
    assert there == {"backup-copies", "backup-copies-lock"}


def test_what_a_vault_has_one_of_is_gone_before_its_successor_comes_for_its_end_would_take_that_with_it() -> None:
    declared()
    singular = {"backup-vault-lock", "backup-copies-lock", "backup-notifications"}
    assert {name for name in singular if deleted_first[name] is not True} == set()
    assert deleted_first["backup-vault"] is None


def test_without_a_lock_there_is_none_and_without_copies_there_is_one_vault() -> None:
    cloud = declared("lock", "restore_test", "notification_topic_arn", copies=False)
    assert set(cloud.of("aws:backup/vault:Vault")) == {"backup-vault"}
    kinds = {one.typ.rsplit(":", 1)[1] for one in cloud.resources if one.typ.startswith("aws:backup")}
    assert kinds == {"Vault", "Plan", "Selection"}
    assert "key-there" not in cloud.of("aws:iam/rolePolicy:RolePolicy")["backup-backup-policy"]["policy"]


def test_a_plan_is_what_the_stack_file_says_and_copies_what_it_says() -> None:
    plans = declared().of("aws:backup/plan:Plan")
    (daily,) = plans["backup-plan-buckets"]["rules"]
    assert daily == {
        "ruleName": "daily", "targetVaultName": "dc-test-backups", "schedule": "cron(0 3 * * ? *)",
        "startWindow": 60, "completionWindow": 720, "enableContinuousBackup": True, "lifecycle": {"deleteAfter": 35},
        "copyActions": [{"destinationVaultArn": arn("backup-copies"), "lifecycle": {"deleteAfter": 90}}],
    }  # fmt: skip
    (monthly,) = plans["backup-plan-files"]["rules"]
    assert monthly["lifecycle"] == {"coldStorageAfter": 30, "deleteAfter": 365}
    assert "copyActions" not in monthly


def test_plans_choose_what_was_declared_and_no_other_thing_that_bears_the_same_tags() -> None:
    selections = declared().of("aws:backup/selection:Selection")
    assert {name: one["resources"] for name, one in selections.items()} == {
        "backup-selection-buckets": [DATA],
        "backup-selection-files": [HOMES, DATA],
    }
    assert not any("selectionTags" in one or "conditions" in one for one in selections.values())


def test_restores_are_tested_by_kind_each_thing_once_from_the_vault_here() -> None:
    cloud = declared()
    (plan,) = cloud.of("aws:backup/restoreTestingPlan:RestoreTestingPlan").values()
    assert (plan["name"], plan["scheduleExpression"]) == ("dc_test", "cron(0 6 ? * SUN *)")
    choice = plan["recoveryPointSelection"]
    assert (choice["algorithm"], choice["selectionWindowDays"]) == ("RANDOM_WITHIN_WINDOW", 14)
    assert choice["includeVaults"] == [arn("backup-vault")]
    found = cloud.of("aws:backup/restoreTestingSelection:RestoreTestingSelection").values()
    assert {one["protectedResourceType"]: one["protectedResourceArns"] for one in found} == {
        "S3": [DATA],
        "EFS": [HOMES],
    }
    assert {one["validationWindowHours"] for one in found} == {2}


def test_somebody_is_told_of_what_failed() -> None:
    (told,) = declared().of("aws:backup/vaultNotifications:VaultNotifications").values()
    assert told["snsTopicArn"] == TOPIC
    assert {"BACKUP_JOB_FAILED", "COPY_JOB_FAILED"} <= set(told["backupVaultEvents"])
    assert "BACKUP_JOB_SUCCESSFUL" not in told["backupVaultEvents"]


@pytest.mark.parametrize(
    ("without", "copies", "told"),
    [
        ((), True, {"backup-notifications": TOPIC, "backup-copies-notifications": ALERTS_THERE}),
        (
            ("notification_topic_arn",),
            True,
            {"backup-notifications": ALERTS, "backup-copies-notifications": ALERTS_THERE},
        ),
        (("notification_topic_arn",), False, {"backup-notifications": ALERTS}),
    ],
)
def test_with_alerts_each_vault_tells_their_topic_unless_the_stack_file_names_another_for_this_region(
    without: tuple[str, ...], copies: bool, told: dict[str, str]
) -> None:
    cloud = declared(*without, copies=copies, alerts=True)
    found = cloud.of("aws:backup/vaultNotifications:VaultNotifications")
    assert {name: one["snsTopicArn"] for name, one in found.items()} == told
    there = {one.name for one in cloud.resources if "aws-recovery" in (one.provider or "")}
    assert ("backup-copies-notifications" in there) is copies


WHERE = Where(account_id=ACCOUNT, region="us-east-1", key_arns=["arn:key"])
LISTS = {"tag:GetResources", "s3:ListAllMyBuckets", "events:ListRules", "cloudwatch:GetMetricData"}


def test_the_role_reads_what_plans_choose_and_nothing_else() -> None:
    policy = backup_policy(WHERE, {("s3", "data"): DATA, ("efs", "homes"): HOMES}, ["arn:vault"])
    for statement in policy["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        if statement["Resource"] == ["*"]:
            assert set(statement["Action"]) <= LISTS
    reads = {one["Sid"]: one["Resource"] for one in policy["Statement"]}
    assert (reads["Buckets"], reads["Objects"], reads["FileSystems"]) == ([DATA], [f"{DATA}/*"], [HOMES])
    assert "Lustre" not in reads
    only = backup_policy(WHERE, {("fsx", "work"): WORK}, ["arn:vault"])
    assert not any(action.startswith(("s3:", "elastic")) for one in only["Statement"] for action in one["Action"])


def test_the_role_of_restores_writes_only_what_is_made_for_them() -> None:
    statements = restore_policy(WHERE, ["s3", "efs", "fsx"])["Statement"]
    assert not any("*" in action for one in statements for action in one["Action"])
    written = {resource for one in statements for resource in one["Resource"] if one["Sid"].startswith("Restored")}
    assert all(resource.startswith("arn:aws:s3:::awsbackup-restore-test-") for resource in written)
    assert not any(
        "Delete" in action and not action.startswith("s3:") for one in statements for action in one["Action"]
    )
    kms_only = {action.split(":")[0] for one in restore_policy(WHERE, [])["Statement"] for action in one["Action"]}
    assert kms_only == {"kms"}


def test_aws_backup_takes_the_roles_for_this_account_only() -> None:
    for role in declared().of("aws:iam/role:Role").values():
        (trust,) = json.loads(role["assumeRolePolicy"])["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


@pytest.mark.parametrize(
    ("every", "hour", "expression"),
    [
        ("hour", 5, "cron(0 * * * ? *)"),
        ("4_hours", 5, "cron(0 1/4 * * ? *)"),
        ("12_hours", 13, "cron(0 1/12 * * ? *)"),
        ("day", 0, "cron(0 0 * * ? *)"),
        ("week", 23, "cron(0 23 ? * SUN *)"),
        ("month", 4, "cron(0 4 1 * ? *)"),
    ],
)
def test_a_schedule_is_one_of_eventbridge_with_one_kind_of_day(every: str, hour: int, expression: str) -> None:
    assert schedule(every, hour) == expression
