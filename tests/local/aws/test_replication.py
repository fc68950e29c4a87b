"""What the services refuse of replication and failover, and moto would take: the local provider refuses it too."""

from __future__ import annotations

from typing import Any

import pytest

from local.aws.provider import AwsProvider, account_of
from local.aws.recorded import records_of
from local.paths import DataRoot
from tests.local.aws.driver import Driver, Refused, Resource

pytestmark = pytest.mark.real

BUCKET, RULE = "aws:s3/bucket:Bucket", "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
REPLICATION = "aws:efs/replicationConfiguration:ReplicationConfiguration"
RECORD = "aws:route53/record:Record"


def bucket(driver: Driver, name: str, *, versions: bool = True, lock: bool = False) -> str:
    made = driver.create(BUCKET, name, {"objectLockEnabled": lock} if lock else {})
    if versions and not lock:
        status = {"bucket": made.id, "versioningConfiguration": {"status": "Enabled"}}
        driver.create("aws:s3/bucketVersioning:BucketVersioning", name, status)
    return made.id


def rule(destination: str, **more: Any) -> dict[str, Any]:
    return {"id": "all", "status": "Enabled", "destination": {"bucket": f"arn:aws:s3:::{destination}"}, **more}


@pytest.mark.parametrize(
    ("name", "source", "replica", "reason"),
    [
        ("a", {"versions": False}, {}, "bucket a-one-.* keeps no versions"),
        ("b", {}, {"versions": False}, "bucket b-two-.* keeps no versions"),
        ("c", {}, None, "there is no bucket nowhere"),
        ("d", {"lock": True}, {}, "has an object lock, and cannot be replicated to d-two-.*, which has none"),
    ],
)
def test_a_rule_that_s3_would_refuse_is_refused(
    driver: Driver, name: str, source: dict[str, bool], replica: dict[str, bool] | None, reason: str
) -> None:
    made = bucket(driver, f"{name}-one", **source)
    there = "nowhere" if replica is None else bucket(driver, f"{name}-two", **replica)
    with pytest.raises(Refused, match=reason):
        driver.create(RULE, name, {"bucket": made, "role": "arn:aws:iam::123456789012:role/r", "rules": [rule(there)]})


def test_a_rule_that_s3_does_not_know_is_refused_and_one_that_it_knows_is_written_down_whole(
    driver: Driver, root: DataRoot
) -> None:
    made, there = bucket(driver, "kept"), bucket(driver, "copy")
    inputs = {"bucket": made, "role": "arn:aws:iam::123456789012:role/r", "rules": [rule(there, copyEverything=True)]}
    with pytest.raises(Refused, match=r"copyEverything is not known"):
        driver.create(RULE, "rule", inputs)
    assert not records_of(root, "BucketReplicationConfig")
    kept = rule(there, filter={"prefix": ""}, deleteMarkerReplication={"status": "Enabled"})
    driver.create(RULE, "rule", {**inputs, "rules": [kept]})
    ((region, record),) = records_of(root, "BucketReplicationConfig")
    (written,) = record["request"]["ReplicationConfiguration"]["Rules"]
    assert (region, written["DeleteMarkerReplication"]) == ("us-east-1", {"Status": "Enabled"})


def replicas(root: DataRoot) -> list[dict[str, Any]]:
    return account_of(root).at("us-west-2").call("efs", "describe_file_systems")["FileSystems"]


def test_efs_makes_a_replica_once_and_it_outlives_its_rule(driver: Driver, root: DataRoot) -> None:
    source = driver.create("aws:efs/fileSystem:FileSystem", "homes", {"encrypted": True})
    key = "arn:aws:kms:us-west-2:123456789012:key/mrk-00000000000000000000000000000000"
    inputs = {"sourceFileSystemId": source.id, "destination": {"region": "us-west-2", "kmsKeyId": key}}
    made = driver.create(REPLICATION, "homes", inputs)
    again = Driver(AwsProvider(root)).configure(region="us-east-1").create(REPLICATION, "homes", inputs)
    (replica,) = replicas(root)
    for one in (made, again):
        assert one.outputs["destination"]["fileSystemId"] == replica["FileSystemId"]
    assert (replica["Encrypted"], replica["KmsKeyId"]) == (True, key)
    driver.delete(made)
    assert driver.read(made) is None
    assert [one["FileSystemId"] for one in replicas(root)] == [replica["FileSystemId"]]


def test_a_file_system_that_is_not_there_is_not_replicated(driver: Driver) -> None:
    with pytest.raises(Refused, match="there is no EFS file system fs-00000000"):
        driver.create(
            REPLICATION, "gone", {"sourceFileSystemId": "fs-00000000", "destination": {"region": "us-west-2"}}
        )


def test_a_registry_is_not_replicated_to_itself(driver: Driver) -> None:
    rules = [{"destinations": [{"region": "us-east-1", "registryId": "123456789012"}]}]
    with pytest.raises(Refused, match="cannot be replicated to itself"):
        driver.create(
            "aws:ecr/replicationConfiguration:ReplicationConfiguration", "rule",
            {"replicationConfiguration": {"rules": rules}},
        )  # fmt: skip


def record(driver: Driver, root: DataRoot, role: str | None = None, value: str = "a.example.net") -> Resource:
    cloud = account_of(root).at("us-east-1")
    zones = cloud.call("route53", "list_hosted_zones")["HostedZones"]
    zone = zones[0] if zones else cloud.call(
        "route53", "create_hosted_zone", Name="example.com", CallerReference="test"
    )["HostedZone"]  # fmt: skip
    inputs: dict[str, Any] = {"zoneId": zone["Id"].rpartition("/")[2], "name": "llm.example.com", "type": "CNAME",
                              "ttl": 60, "records": [value]}  # fmt: skip
    if role:
        inputs |= {"setIdentifier": role.lower(), "failoverRoutingPolicies": [{"type": role}]}
    return driver.create(RECORD, role or "simple", inputs)


def test_records_that_fail_over_stand_side_by_side_and_with_no_simple_one(driver: Driver, root: DataRoot) -> None:
    simple = record(driver, root)
    with pytest.raises(Refused, match="delete the simple one first"):
        record(driver, root, "PRIMARY")
    driver.delete(simple)
    primary, secondary = record(driver, root, "PRIMARY"), record(driver, root, "SECONDARY", "b.example.net")
    with pytest.raises(Refused, match="of several with one name each needs a set identifier"):
        record(driver, root)
    driver.delete(primary)
    read = driver.read(secondary)
    assert read is not None
    assert (read.outputs["records"], read.outputs["setIdentifier"]) == (["b.example.net"], "secondary")
    assert driver.read(primary) is None
