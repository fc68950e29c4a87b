"""Copies in the recovery region: complete, as well kept as the originals, and made with no rights to spare."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.bucket_replication import BucketReplication, BucketReplicationArgs, replication_policy
from components.file_system_replication import FileSystemReplication, FileSystemReplicationArgs, file_system_arn
from components.image_replication import ImageReplication, ImageReplicationArgs
from components.registry import RepositoryArgs
from components.settings import RegistryConfig, StorageConfig
from components.storage import Storage, StorageArgs

from .mocks import ACCOUNT, Cloud, run

LOCKED = StorageConfig.model_validate(
    {"object_lock": {"days": 14}, "data_infrequent_days": 90, "checkpoint_days": 30, "noncurrent_days": 7}
)
HANGS_ON_A_BUCKET = (
    "Versioning", "LifecycleConfiguration", "ServerSideEncryptionConfiguration", "PublicAccessBlock",
    "OwnershipControls", "Policy", "ObjectLockConfiguration",
)  # fmt: skip


@cache
def copied(delete_markers: bool = True, retain: bool = True) -> Cloud:
    def declare() -> None:
        there = aws.Provider("aws-recovery", region="us-west-2")
        common: dict[str, Any] = {"name": "dc", "account_id": ACCOUNT, "config": LOCKED, "retain": retain}
        storage = Storage("storage", StorageArgs(**common, region="us-east-1", key_arn="arn:key-here"))
        buckets = BucketReplicationArgs(
            region="us-east-1", key_arn="arn:key-here", sources=storage.buckets, delete_markers=delete_markers,
            replicas=StorageArgs(**common, region="us-west-2", key_arn="arn:key-there"), provider=there,
        )  # fmt: skip
        BucketReplication("copies", buckets)
        region: dict[str, Any] = {"region": "us-west-2", "account_id": ACCOUNT, "provider": there}
        systems = {"homes": pulumi.Output.from_input("fs-1")}
        FileSystemReplication(
            "systems", FileSystemReplicationArgs(**region, file_system_ids=systems, key_arn="arn:key-there")
        )
        replica = RepositoryArgs(name="dc", config=RegistryConfig(), key_arn="arn:key-there", retain=retain)
        ImageReplication("images", ImageReplicationArgs(**region, replica=replica))

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def of_s3(kind: str, cloud: Cloud) -> dict[str, dict[str, Any]]:
    return cloud.of(f"aws:s3/bucket{kind}:Bucket{kind}")


def rules(cloud: Cloud) -> dict[str, dict[str, Any]]:
    found = of_s3("ReplicationConfig", cloud)
    return {name: one["rules"][0] for name, one in found.items()}


def there(cloud: Cloud, name: str) -> bool:
    (one,) = (resource for resource in cloud.resources if resource.name == name)
    return "aws-recovery" in (one.provider or "")


@pytest.mark.parametrize("kind", HANGS_ON_A_BUCKET)
def test_a_replica_is_as_hardened_as_its_original_and_keeps_things_as_long(kind: str) -> None:
    cloud = copied()
    found = of_s3(kind, cloud)
    originals = {name: one for name, one in found.items() if name.startswith("storage-")}
    assert originals
    for name, original in originals.items():
        replica = found[name.replace("storage-", "copies-")]
        assert there(cloud, name.replace("storage-", "copies-"))
        spelt = json.dumps(replica).replace("us-west-2", "us-east-1").replace("arn:key-there", "arn:key-here")
        assert json.loads(spelt.replace("copies-", "storage-")) == original


def test_every_object_is_copied_within_what_s3_promises_and_encrypted_with_the_key_there() -> None:
    assert set(rules(copied())) == {"copies-data-rule", "copies-checkpoints-rule"}
    for rule in rules(copied()).values():
        to = rule["destination"]
        assert (rule["status"], rule["filter"]) == ("Enabled", {"prefix": ""})
        assert rule["sourceSelectionCriteria"]["sseKmsEncryptedObjects"]["status"] == "Enabled"
        assert to["encryptionConfiguration"] == {"replicaKmsKeyId": "arn:key-there"}
        assert to["replicationTime"] == {"status": "Enabled", "time": {"minutes": 15}}
        assert to["metrics"] == {"status": "Enabled", "eventThreshold": {"minutes": 15}}
    data = rules(copied())["copies-data-rule"]["destination"]["bucket"]
    assert data.endswith(":copies-data")


@pytest.mark.parametrize(("wanted", "status"), [(True, "Enabled"), (False, "Disabled")])
def test_what_is_deleted_is_hidden_in_the_replica_only_if_asked_for(wanted: bool, status: str) -> None:
    found = rules(copied(delete_markers=wanted)).values()
    assert {rule["deleteMarkerReplication"]["status"] for rule in found} == {status}


def policy(locked: bool = False) -> dict[str, Any]:
    made = replication_policy(
        sources=["arn:s"], replicas=["arn:r"], keys=["arn:k1", "arn:k2"], regions=("us-east-1", "us-west-2"),
        locked=locked,
    )  # fmt: skip
    return {statement["Sid"]: statement for statement in made["Statement"]}


def test_the_role_reads_originals_and_writes_replicas_and_not_the_other_way_round() -> None:
    rights = policy()
    assert rights["Read"]["Resource"] == ["arn:s/*"]
    assert rights["Write"]["Resource"] == ["arn:r/*"]
    actions = [action for statement in rights.values() for action in statement["Action"]]
    assert not [action for action in actions if "*" in action or action in ("s3:GetObject", "s3:PutObject")]


def test_each_key_is_used_through_the_s3_of_its_region_for_its_buckets_alone() -> None:
    rights = policy()
    here, there = ("Decrypt", "arn:k1", "us-east-1", "arn:s"), ("Encrypt", "arn:k2", "us-west-2", "arn:r")
    for sid, key, region, bucket in (here, there):
        assert rights[sid]["Resource"] == [key]
        assert rights[sid]["Condition"] == {
            "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]},
        }


def test_the_retention_of_locked_versions_is_read_where_there_are_any() -> None:
    assert "s3:GetObjectRetention" in policy(locked=True)["Read"]["Action"]
    assert "s3:GetObjectRetention" not in policy()["Read"]["Action"]
    (made,) = (json.loads(one["policy"]) for one in copied().of("aws:iam/rolePolicy:RolePolicy").values())
    assert "s3:GetObjectLegalHold" in json.dumps(made)


def test_only_s3_takes_the_role() -> None:
    (role,) = copied().of("aws:iam/role:Role").values()
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}


def test_a_file_system_has_a_replica_in_the_other_region_with_its_key_and_no_root() -> None:
    cloud = copied()
    (rule,) = cloud.of("aws:efs/replicationConfiguration:ReplicationConfiguration").values()
    assert rule == {
        "sourceFileSystemId": "fs-1", "destination": {"region": "us-west-2", "kmsKeyId": "arn:key-there"},
    }  # fmt: skip
    ((name, replica),) = cloud.of("aws:efs/fileSystemPolicy:FileSystemPolicy").items()
    assert there(cloud, name)
    assert "ClientRootAccess" not in replica["policy"]
    arn = file_system_arn("us-west-2", ACCOUNT, "fs-2")
    assert arn == f"arn:aws:elasticfilesystem:us-west-2:{ACCOUNT}:file-system/fs-2"


def test_images_go_to_a_repository_that_is_like_the_first_and_nothing_else_of_the_registry_goes() -> None:
    cloud = copied()
    repository = cloud.of("aws:ecr/repository:Repository")["images-train"]
    assert there(cloud, "images-train")
    assert (repository["name"], repository["imageTagMutability"]) == ("dc/train", "IMMUTABLE")
    assert repository["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": "arn:key-there"}]
    (configuration,) = cloud.of("aws:ecr/replicationConfiguration:ReplicationConfiguration").values()
    assert configuration["replicationConfiguration"]["rules"] == [
        {
            "destinations": [{"region": "us-west-2", "registryId": ACCOUNT}],
            "repositoryFilters": [{"filter": "dc/train", "filterType": "PREFIX_MATCH"}],
        }
    ]


def test_replicas_stop_a_destroy_where_originals_do() -> None:
    for retain in (True, False):
        found = copied(retain=retain)
        assert {one["forceDestroy"] for one in found.of("aws:s3/bucket:Bucket").values()} == {not retain}
        assert found.of("aws:ecr/repository:Repository")["images-train"]["forceDelete"] is not retain
