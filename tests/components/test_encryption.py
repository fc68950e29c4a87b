"""The key's policy: who may use it besides whom IAM lets; and the recovery region's key."""

from __future__ import annotations

import json
from functools import cache

import pulumi_aws as aws

from components.encryption import Encryption, EncryptionArgs, ReplicaArgs, key_policy

from .mocks import ACCOUNT, Cloud, run

KEY, REPLICA = "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"


@cache
def declared(multi_region: bool | None) -> Cloud:
    """The key; ``None``: without a recovery region."""

    def declare() -> None:
        provider = aws.Provider("aws-recovery", region="us-west-2")
        replica = ReplicaArgs(region="us-west-2", provider=provider, multi_region=bool(multi_region))
        args = EncryptionArgs(
            name="dc", region="us-east-1", account_id=ACCOUNT, retain=True, lustre_links=True,
            replica=None if multi_region is None else replica,
        )  # fmt: skip
        Encryption("encryption", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def names_there(cloud: Cloud) -> set[str]:
    """What the recovery region's provider makes."""
    return {one.name for one in cloud.resources if "aws-recovery" in (one.provider or "")}


def test_fsx_uses_the_key_only_where_a_file_system_is_linked_and_only_through_s3_of_the_account() -> None:
    without, linked = (key_policy("123456789012", "us-east-1", links)["Statement"] for links in (False, True))
    (added,) = [statement for statement in linked if statement not in without]
    condition = added["Condition"]
    assert condition["StringEquals"] == {
        "kms:CallerAccount": "123456789012",
        "kms:ViaService": "s3.us-east-1.amazonaws.com",
    }
    assert condition["ArnLike"]["aws:PrincipalArn"].startswith(
        "arn:aws:iam::123456789012:role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/"
    )


def test_auto_scaling_may_encrypt_nodes_disks_by_the_key_s_own_policy_for_iam_gives_its_role_no_key() -> None:
    statements = {one["Sid"]: one for one in key_policy("123456789012", "us-east-1")["Statement"]}
    role = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    for sid in ("NodeDisks", "NodeDiskGrants"):
        assert statements[sid]["Principal"] == {"AWS": "*"}
        assert statements[sid]["Condition"]["StringEquals"] == {"kms:CallerAccount": "123456789012"}
        assert statements[sid]["Condition"]["ArnEquals"] == {"aws:PrincipalArn": role}
    assert "kms:CreateGrant" not in statements["NodeDisks"]["Action"]
    assert statements["NodeDiskGrants"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_nobody_of_another_account_may_do_anything_with_the_key() -> None:
    for statement in key_policy("123456789012", "us-east-1", lustre_links=True)["Statement"]:
        if statement["Principal"] == {"AWS": "*"}:
            assert statement["Condition"]["StringEquals"]["kms:CallerAccount"] == "123456789012"


def test_without_a_recovery_region_there_is_one_key_and_it_has_never_heard_of_others() -> None:
    cloud = declared(None)
    assert set(cloud.of(KEY)) == {"encryption-key"}
    assert "multiRegion" not in cloud.of(KEY)["encryption-key"]
    assert cloud.of(REPLICA) == {}


def test_the_recovery_region_has_a_replica_with_its_own_policy_and_the_same_alias() -> None:
    cloud = declared(True)
    assert cloud.of(KEY)["encryption-key"]["multiRegion"] is True
    (replica,) = cloud.of(REPLICA).values()
    assert replica["primaryKeyArn"] == f"arn:aws:mock:us-east-1:{ACCOUNT}:encryption-key"
    assert replica["deletionWindowInDays"] == 30
    assert json.loads(replica["policy"]) == key_policy(ACCOUNT, "us-west-2", lustre_links=True)
    assert names_there(cloud) == {"encryption-replica", "encryption-recovery-alias"}
    assert {one["name"] for one in cloud.of("aws:kms/alias:Alias").values()} == {"alias/dc"}


def test_or_a_key_of_its_own_that_leaves_the_first_one_as_it_is() -> None:
    cloud = declared(False)
    keys = cloud.of(KEY)
    assert not any("multiRegion" in key for key in keys.values())
    assert keys["encryption-recovery-key"]["enableKeyRotation"] is True
    assert "us-west-2" in keys["encryption-recovery-key"]["policy"]
    assert names_there(cloud) == {"encryption-recovery-key", "encryption-recovery-alias"}
