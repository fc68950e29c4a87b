"""A data centre with every kind of storage, and with what guards it; checked against moto and the API server."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Checkout

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

STORAGE = """checkpoint_days: 30
    data_intelligent_tiering: true
    object_lock: {days: 2}
    datasets:
      tokens: {kind: s3, class: critical, owner: data, rpo_minutes: 15, rto_minutes: 240}
      cache: {kind: fsx, class: reproducible, owner: data}
      homes: {kind: efs, class: important, owner: research, rpo_minutes: 15, rto_minutes: 480}
  ai-datacenter:lustre:
    fast: {capacity_gib: 1200, throughput_mb_s_per_tib: 250, zone: us-east-1b, link: {prefix: tokens/}}
  ai-datacenter:efs:
    homes: {access_points: {research: {path: /research}}}
  ai-datacenter:ebs:
    gp3: {default: true}
"""
GUARDED = """  ai-datacenter:alerts:
    emails: [oncall@example.com]
    budget: {monthly_usd: 1000}
  ai-datacenter:security:
    permissions_boundary_arn: arn:aws:iam::aws:policy/PowerUserAccess
    trail: {data_events: true}
    guardduty: {}
  ai-datacenter:tags:
"""


def names(data: dict[str, Any], op: str) -> set[str]:
    return {step["urn"].rsplit("::", 1)[-1] for step in data["steps"] if step["op"] == op}


def changed(data: dict[str, Any]) -> dict[str, int]:
    return {op: number for op, number in data["changes"].items() if number and op != "same"}


def test_up_makes_every_kind_of_storage_and_trains(checkout: Checkout) -> None:
    zones = "nat: one\n    zones: [us-east-1a, us-east-1b, us-east-1c]"
    checkout.configure({"checkpoint_days: 30\n": STORAGE, "nat: one": zones, "  ai-datacenter:tags:\n": GUARDED})
    data, told = checkout.aidc("up")
    assert data["passed"], told
    assert data["fidelity"]["recorded"] > 0


def test_the_file_systems_are_where_and_as_the_stack_file_says(checkout: Checkout) -> None:
    (system,) = checkout.aws("fsx").describe_file_systems()["FileSystems"]
    tags = {tag["Key"]: tag["Value"] for tag in system["Tags"]}
    assert (system["StorageCapacity"], system["LustreConfiguration"]["PerUnitStorageThroughput"]) == (1200, 250)
    assert tags["ai-datacenter:dataset/cache"] == "class=reproducible owner=data"
    efs = checkout.aws("efs")
    (homes,) = efs.describe_file_systems()["FileSystems"]
    targets = efs.describe_mount_targets(FileSystemId=homes["FileSystemId"])["MountTargets"]
    assert {target["AvailabilityZoneName"] for target in targets} == {"us-east-1a", "us-east-1b", "us-east-1c"}
    (point,) = efs.describe_access_points(FileSystemId=homes["FileSystemId"])["AccessPoints"]
    assert point["RootDirectory"]["Path"] == "/research"


def test_checkpoints_are_locked_and_data_is_not(checkout: Checkout) -> None:
    s3 = checkout.aws("s3")
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    (locked,) = [bucket for bucket in buckets if "-checkpoints-" in bucket]
    rule = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]["Rule"]
    assert (rule["DefaultRetention"]["Mode"], rule["DefaultRetention"]["Days"]) == ("GOVERNANCE", 2)
    versions = s3.list_object_versions(Bucket=locked)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=locked, Key=versions[0]["Key"], VersionId=versions[0]["VersionId"])


def test_pods_can_ask_for_each_of_them(checkout: Checkout) -> None:
    api = checkout.kubernetes()
    classes = {one["metadata"]["name"]: one for one in api.get("/apis/storage.k8s.io/v1/storageclasses")["items"]}
    assert set(classes) == {"ebs-gp3", "efs-homes", "lustre-fast"}
    (volume,) = api.get("/api/v1/persistentvolumes")["items"]
    (system,) = checkout.aws("fsx").describe_file_systems()["FileSystems"]
    assert volume["spec"]["csi"]["volumeHandle"] == system["FileSystemId"]
    assert volume["spec"]["csi"]["volumeAttributes"]["dnsname"] == system["DNSName"]


def test_alarms_tell_the_topic_that_somebody_hears_and_name_what_was_made(checkout: Checkout) -> None:
    (topic,) = checkout.aws("sns").list_topics()["Topics"]
    (hears,) = checkout.aws("sns").list_subscriptions_by_topic(TopicArn=topic["TopicArn"])["Subscriptions"]
    assert hears["Endpoint"] == "oncall@example.com"
    alarms = {one["AlarmName"]: one for one in checkout.aws("cloudwatch").describe_alarms()["MetricAlarms"]}
    assert all(one["AlarmActions"] == [topic["TopicArn"]] for one in alarms.values())
    (system,) = checkout.aws("fsx").describe_file_systems()["FileSystems"]
    (dimension,) = alarms["aidc-local-lustre-fast-full"]["Dimensions"]
    assert dimension["Value"] == system["FileSystemId"]
    (target,) = checkout.aws("events").list_targets_by_rule(Rule="aidc-local-capacity")["Targets"]
    assert target["Arn"] == topic["TopicArn"]


def test_the_trail_writes_into_a_bucket_of_its_own_and_every_role_is_bounded(checkout: Checkout) -> None:
    (trail,) = checkout.aws("cloudtrail").describe_trails()["trailList"]
    assert trail["LogFileValidationEnabled"]
    assert checkout.aws("cloudtrail").get_trail_status(Name=trail["Name"])["IsLogging"]
    assert trail["S3BucketName"] in [bucket["Name"] for bucket in checkout.aws("s3").list_buckets()["Buckets"]]
    iam = checkout.aws("iam")
    roles = [iam.get_role(RoleName=one["RoleName"])["Role"] for one in iam.list_roles()["Roles"]]
    bounds = {role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") for role in roles}
    assert bounds == {"arn:aws:iam::aws:policy/PowerUserAccess"}


def test_a_refresh_finds_no_drift_and_leaves_nothing_to_change(checkout: Checkout) -> None:
    data, told = checkout.aidc("refresh")
    assert changed(data) == {}, told
    checkout.aidc("preview", "--exit-code")


def test_a_file_system_grows_in_place_and_nothing_else_changes_but_its_volume_and_its_alarm(checkout: Checkout) -> None:
    checkout.configure({"capacity_gib: 1200": "capacity_gib: 2400"})
    planned, _ = checkout.aidc("preview")
    alarm = {"alerts-lustre-fast-full", "alerts-dashboard"}
    assert names(planned, "update") == {"lustre-fast-file-system", "storage-classes-lustre-fast-volume", *alarm}
    assert not names(planned, "replace") | names(planned, "create") | names(planned, "delete")
    checkout.aidc("up")
    data, told = checkout.aidc("refresh")
    assert changed(data) == {}, told


def test_what_is_no_longer_asked_for_goes_and_the_buckets_stay(checkout: Checkout) -> None:
    text = checkout.stack_file.read_text()
    start, end = text.index("    datasets:\n"), text.index("  ai-datacenter:smoke_test")
    checkout.stack_file.write_text(text[:start] + text[end:])
    data, told = checkout.aidc("up")
    assert data["passed"], told
    assert checkout.aws("fsx").describe_file_systems()["FileSystems"] == []
    assert checkout.aws("efs").describe_file_systems()["FileSystems"] == []
    assert len(checkout.aws("s3").list_buckets()["Buckets"]) == 3
