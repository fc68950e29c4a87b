"""An EFS file system: an address in each zone, and nobody in without TLS or as root."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from components.efs import Efs, EfsArgs, lifecycle_policies
from components.settings import EfsConfig

from .mocks import Cloud, run


def efs(**config: Any) -> Cloud:
    def declare() -> None:
        args = EfsArgs(
            name="dc", system="homes", config=EfsConfig(**config), vpc_id="vpc-1",
            subnet_ids=[pulumi.Output.from_input(f"subnet-{zone}") for zone in "abc"],
            nodes_security_group_id="sg-nodes", key_arn="arn:key", retain=True, tags={"team": "t"},
        )  # fmt: skip
        Efs("efs-homes", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def test_it_is_encrypted_with_the_data_centre_s_key_and_grows_with_what_is_asked_of_it() -> None:
    (found,) = efs().of("aws:efs/fileSystem:FileSystem").values()
    assert (found["encrypted"], found["kmsKeyId"], found["throughputMode"]) == (True, "arn:key", "elastic")
    assert found["tags"] == {"Name": "dc-homes", "team": "t"}


def test_each_zone_has_an_address_and_all_bear_the_group_that_lets_nodes_in_over_nfs() -> None:
    cloud = efs()
    targets = cloud.of("aws:efs/mountTarget:MountTarget").values()
    assert sorted(one["subnetId"] for one in targets) == ["subnet-a", "subnet-b", "subnet-c"]
    assert {tuple(one["securityGroups"]) for one in targets} == {("efs-homes-group-id",)}
    (rule,) = cloud.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").values()
    assert (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (2049, 2049, "tcp")
    assert (rule["securityGroupId"], rule["referencedSecurityGroupId"]) == ("efs-homes-group-id", "sg-nodes")


def test_nobody_mounts_without_tls_or_becomes_root() -> None:
    (found,) = efs().of("aws:efs/fileSystemPolicy:FileSystemPolicy").values()
    mount, tls = json.loads(found["policy"])["Statement"]
    assert mount["Action"] == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize(("daily", "status"), [(True, "ENABLED"), (False, "DISABLED")])
def test_backups_are_said_either_way(daily: bool, status: str) -> None:
    (found,) = efs(daily_backup=daily).of("aws:efs/backupPolicy:BackupPolicy").values()
    assert found["backupPolicy"] == {"status": status}


@pytest.mark.parametrize(
    ("config", "policies"),
    [
        ({}, [{"transition_to_ia": "AFTER_30_DAYS"}, {"transition_to_primary_storage_class": "AFTER_1_ACCESS"}]),
        ({"infrequent_days": None}, []),
        (
            {"infrequent_days": 1, "archive_days": 90},
            [
                {"transition_to_ia": "AFTER_1_DAY"},
                {"transition_to_archive": "AFTER_90_DAYS"},
                {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
            ],
        ),
    ],
)
def test_files_move_as_the_stack_file_says_and_come_back_when_they_are_read(
    config: dict[str, Any], policies: list[dict[str, str]]
) -> None:
    assert lifecycle_policies(EfsConfig(**config)) == policies


def test_an_access_point_is_one_user_in_one_folder() -> None:
    cloud = efs(access_points={"home": {"path": "/home", "uid": 2000, "gid": 3000}})
    (found,) = cloud.of("aws:efs/accessPoint:AccessPoint").values()
    assert found["posixUser"] == {"uid": 2000, "gid": 3000}
    assert found["rootDirectory"] == {
        "path": "/home",
        "creationInfo": {"ownerUid": 2000, "ownerGid": 3000, "permissions": "0750"},
    }
