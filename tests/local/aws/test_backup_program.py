"""Keys and backups in two regions come up on the embedded engine, stay as they are, change and go."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import moto
from local.aws.provider import AwsProvider, account_of
from local.aws.recorded import records_of
from local.engine import CollectingDisplay, Engine, Result, load_project
from local.engine.store.store import StateStore
from local.paths import DataRoot
from tests.local.engine.conftest import SECRETS, changed

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

# The components alone, as another program would have them: without a data centre around them.
PROGRAM = """
import pulumi_aws as aws
from components.backup import Backup, BackupArgs, CopiesArgs
from components.encryption import Encryption, EncryptionArgs, ReplicaArgs
from components.settings import BackupConfig

common = {{"name": "dc", "region": "us-east-1", "account_id": "123456789012", "retain": False}}
west = aws.Provider("west", region="us-west-2")
keys = Encryption("encryption", EncryptionArgs(**common, replica=ReplicaArgs(region="us-west-2", provider=west)))
bucket = aws.s3.Bucket("data", force_destroy=True)
system = aws.efs.FileSystem("homes", encrypted=True, kms_key_id=keys.key_arn)
Backup("backup", BackupArgs(
    **common, config=BackupConfig.model_validate({config}), key_arn=keys.key_arn,
    resource_arns={{"all": {{("s3", "data"): bucket.arn, ("efs", "homes"): system.arn}}}},
    copies=CopiesArgs(region="us-west-2", provider=west, key_arn=keys.replica_key_arn)))
"""
RULE = {"continuous": True, "retention_days": 35, "recovery_copy": {"retention_days": 90}}
CONFIG: dict[str, Any] = {
    "plans": {"all": {"datasets": ["tokens"], "rules": {"daily": RULE}}},
    "lock": {"min_retention_days": 7},
    "restore_test": {},
}
REGIONS = ("us-east-1", "us-west-2")


@dataclass
class World:
    folder: Path
    root: DataRoot

    def engine(self, config: dict[str, Any]) -> Engine:
        (self.folder / "__main__.py").write_text(PROGRAM.format(config=config))
        store = StateStore(self.folder / "state", "proj", "test", SECRETS)
        return Engine(
            load_project(self.folder, "test"), store, {"aws": lambda: AwsProvider(self.root)}, CollectingDisplay()
        )

    def up(self, config: dict[str, Any]) -> Result:
        result = self.engine(config).up()
        assert not result.errors, result.errors
        return result

    def vaults(self) -> list[tuple[str, dict[str, Any]]]:
        """Each with its region."""
        at = account_of(self.root).at
        return [
            (region, vault)
            for region in REGIONS
            for vault in at(region).call("backup", "list_backup_vaults")["BackupVaultList"]
        ]

    def record(self, kind: str) -> dict[str, Any]:
        """The request of the only one."""
        ((_, record),) = records_of(self.root, kind)
        return record["request"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, root = tmp_path_factory.mktemp("program"), DataRoot(tmp_path_factory.mktemp("cloud"))
    (folder / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    (folder / "Pulumi.test.yaml").write_text("config:\n  aws:region: us-east-1\n")
    yield World(folder, root)
    moto.stop(root)


def test_both_regions_have_a_locked_vault_with_the_region_s_own_key(world: World) -> None:
    world.up(CONFIG)
    found = world.vaults()
    assert [(region, one["BackupVaultName"]) for region, one in found] == [
        ("us-east-1", "dc-backups"),
        ("us-west-2", "dc-copies"),
    ]
    for region, vault in found:
        kms = account_of(world.root).at(region)
        key = kms.call("kms", "describe_key", KeyId="alias/dc")["KeyMetadata"]
        assert (vault["EncryptionKeyArn"], vault["Locked"]) == (key["Arn"], True)
        assert key["MultiRegion"], region
        policy = kms.call("kms", "get_key_policy", KeyId=key["KeyId"], PolicyName="default")["Policy"]
        assert f"logs.{region}.amazonaws.com" in str(policy)


def test_the_plan_is_for_what_was_made_and_copies_to_the_other_vault(world: World) -> None:
    (rule,) = world.record("Plan")["BackupPlan"]["Rules"]
    (copied,) = rule["CopyActions"]
    assert copied["DestinationBackupVaultArn"] == world.vaults()[1][1]["BackupVaultArn"]
    assert rule["EnableContinuousBackup"] is True
    chosen = world.record("Selection")["BackupSelection"]["Resources"]
    assert [arn.split(":")[2] for arn in chosen] == ["s3", "elasticfilesystem"]
    kinds = [record["request"] for _, record in records_of(world.root, "RestoreTestingSelection")]
    assert {one["RestoreTestingSelection"]["ProtectedResourceType"] for one in kinds} == {"EFS", "S3"}


def test_the_same_again_changes_nothing_and_a_refresh_finds_no_drift(world: World) -> None:
    assert changed(world.up(CONFIG)) == {}
    assert changed(world.engine(CONFIG).refresh()) == {}
    assert changed(world.up(CONFIG)) == {}


def test_a_changed_lock_leaves_no_vault_unlocked_and_a_changed_rule_stays_in_place(world: World) -> None:
    wanted = copy.deepcopy(CONFIG)
    wanted["lock"]["max_retention_days"] = 400
    wanted["plans"]["all"]["rules"]["daily"]["hour_utc"] = 4
    assert changed(world.up(wanted)) == {"replace": 2, "update": 1}
    assert [(one["Locked"], one["MaxRetentionDays"]) for _, one in world.vaults()] == [(True, 400)] * 2
    assert world.record("Plan")["BackupPlan"]["Rules"][0]["ScheduleExpression"] == "cron(0 4 * * ? *)"
    assert world.record("Selection")
    assert changed(world.up(wanted)) == {}


def test_a_destroy_leaves_nothing_but_keys_that_wait_for_their_end(world: World) -> None:
    result = world.engine(CONFIG).destroy()
    assert not result.errors, result.errors
    assert world.vaults() == []
    assert records_of(world.root, "Plan") == []
    for region in REGIONS:
        kms = account_of(world.root).at(region)
        keys = [kms.call("kms", "describe_key", KeyId=one["KeyId"]) for one in kms.call("kms", "list_keys")["Keys"]]
        assert [key["KeyMetadata"]["KeyState"] for key in keys] == ["PendingDeletion"]
