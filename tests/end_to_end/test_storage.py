"""A data centre with every kind of storage, with data that is made into tokens, and with what guards it; checked with
moto and the API server."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.recorded import records_of
from local.kube_api import ApiError
from local.processes import wait_until
from tests.end_to_end.conftest import Checkout
from tests.workloads.etl.conftest import text_of

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

LOCATIONS = ("S3Location", "NfsLocation", "EfsLocation", "LocationFsxLustre")
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
  ai-datacenter:recovery: {region: us-west-2, cidr: 10.1.0.0/16, multi_region_key: false, replication: {images: true}}
  ai-datacenter:backup:
    lock: {min_retention_days: 7}
    plans:
      kept: {datasets: [tokens, homes], rules: {daily: {retention_days: 7, recovery_copy: {retention_days: 7}}}}
  ai-datacenter:data_pipeline:
    migrations:
      crawl: {nfs: {server: nas, path: /export, agent_arns: ["AGENT"]}, prefix: raw/crawl/, schedule: rate(1 day)}
      books: {s3: {bucket: corp-books, region: eu-west-1}, kind: fsx, path: /books}
      old-homes: {nfs: {server: nas, path: /home, agent_arns: ["AGENT"]}, kind: efs, dataset: homes}
    etl: {pool: cpu, schedule: 0 3 29 2 *, dataset: tokens, vocabulary: 400}
    catalogue: {}
""".replace("AGENT", "arn:aws:datasync:us-east-1:123456789012:agent/agent-0123456789abcdef0")
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
    (locked,) = [bucket for bucket in buckets if "-checkpoints-" in bucket and bucket.endswith("us-east-1")]
    rule = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]["Rule"]
    assert (rule["DefaultRetention"]["Mode"], rule["DefaultRetention"]["Days"]) == ("GOVERNANCE", 2)
    versions = s3.list_object_versions(Bucket=locked)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=locked, Key=versions[0]["Key"], VersionId=versions[0]["VersionId"])


def test_what_is_kept_has_a_rule_that_would_copy_it_and_a_place_there_as_well_kept(checkout: Checkout) -> None:
    s3 = checkout.aws("s3")
    rules = [record["request"] for _, record in records_of(checkout.root, "BucketReplicationConfig")]
    for rule in rules:
        (copied,) = rule["ReplicationConfiguration"]["Rules"]
        replica = copied["Destination"]["Bucket"].rpartition(":")[2]
        assert replica == rule["Bucket"].replace("us-east-1", "us-west-2")
        assert s3.get_bucket_location(Bucket=replica)["LocationConstraint"] == "us-west-2"
        assert s3.get_bucket_versioning(Bucket=replica)["Status"] == "Enabled"
    assert len(rules) == 2
    (system,) = checkout.aws("efs", "us-west-2").describe_file_systems()["FileSystems"]
    assert system["KmsKeyId"].startswith("arn:aws:kms:us-west-2:")
    (repository,) = checkout.aws("ecr", "us-west-2").describe_repositories()["repositories"]
    assert (repository["repositoryName"], repository["imageTagMutability"]) == ("aidc-local/train", "IMMUTABLE")


def test_what_datasets_lie_in_is_backed_up_into_a_locked_vault(checkout: Checkout) -> None:
    (vault,) = checkout.aws("backup").list_backup_vaults()["BackupVaultList"]
    assert (vault["BackupVaultName"], vault["Locked"], vault["MinRetentionDays"]) == ("aidc-local-backups", True, 7)
    ((_, selection),) = records_of(checkout.root, "Selection")
    (homes,) = checkout.aws("efs").describe_file_systems()["FileSystems"]
    buckets = [one["Name"] for one in checkout.aws("s3").list_buckets()["Buckets"]]
    (data,) = [one for one in buckets if "-data-" in one and one.endswith("-us-east-1")]
    assert selection["request"]["BackupSelection"]["Resources"] == [homes["FileSystemArn"], f"arn:aws:s3:::{data}"]


def test_pods_can_ask_for_each_of_them(checkout: Checkout) -> None:
    api = checkout.kubernetes()
    classes = {one["metadata"]["name"]: one for one in api.get("/apis/storage.k8s.io/v1/storageclasses")["items"]}
    assert set(classes) == {"ebs-gp3", "efs-homes", "lustre-fast"}
    (volume,) = api.get("/api/v1/persistentvolumes")["items"]
    (system,) = checkout.aws("fsx").describe_file_systems()["FileSystems"]
    assert volume["spec"]["csi"]["volumeHandle"] == system["FileSystemId"]
    assert volume["spec"]["csi"]["volumeAttributes"]["dnsname"] == system["DNSName"]


def test_transfers_are_recorded_as_requests_between_the_places_that_the_stack_file_names(checkout: Checkout) -> None:
    tasks = {record["request"]["Name"]: record["request"] for _, record in records_of(checkout.root, "Task")}
    assert set(tasks) == {"aidc-local-crawl", "aidc-local-books", "aidc-local-old-homes"}
    ends = [one for kind in LOCATIONS for one in records_of(checkout.root, kind)]
    uris = {record["properties"]["arn"]: (region, record["properties"]["uri"]) for region, record in ends}
    assert uris[tasks["aidc-local-books"]["SourceLocationArn"]] == ("eu-west-1", "s3://corp-books/")
    (system,) = checkout.aws("fsx").describe_file_systems()["FileSystems"]
    lustre = f"fsxl://us-east-1.{system['FileSystemId']}/books/"
    assert uris[tasks["aidc-local-books"]["DestinationLocationArn"]] == ("us-east-1", lustre)
    assert tasks["aidc-local-crawl"]["Options"]["VerifyMode"] == "ONLY_FILES_TRANSFERRED"
    (policy,) = checkout.aws("logs").describe_resource_policies()["resourcePolicies"]
    assert "datasync.amazonaws.com" in policy["policyDocument"]


def test_a_job_of_the_schedule_makes_tokens_of_raw_text_and_is_told_where_the_table_looks(checkout: Checkout) -> None:
    s3, api = checkout.aws("s3"), checkout.kubernetes()
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    (data,) = [bucket for bucket in buckets if "-data-" in bucket and bucket.endswith("us-east-1")]
    for seed in range(4):
        s3.put_object(Bucket=data, Key=f"raw/{seed}.txt", Body=text_of(seed).encode())
    batch = "/apis/batch/v1/namespaces/data-pipeline"
    spec = api.get(f"{batch}/cronjobs/etl")["spec"]["jobTemplate"]["spec"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "etl-now"}, "spec": spec}
    api.create(f"{batch}/jobs", job)
    assert wait_until(lambda: api.get(f"{batch}/jobs/etl-now")["status"].get("succeeded") == 1, 60)
    manifest = json.loads(s3.get_object(Bucket=data, Key="tokens/etl-now/manifest.json")["Body"].read())
    assert (len(manifest["sources"]), manifest["statistics"]["documents_kept"]) == (4, 4)
    shard = s3.get_object(Bucket=data, Key=f"tokens/etl-now/{manifest['shards'][0]['file']}")["Body"].read()
    assert hashlib.sha256(shard).hexdigest() == manifest["shards"][0]["sha256"]
    table = checkout.aws("glue").get_table(DatabaseName="aidc_local", Name="runs")["Table"]
    place = table["StorageDescriptor"]["Location"].removeprefix(f"s3://{data}/")
    row = json.loads(s3.get_object(Bucket=data, Key=f"{place}etl-now.json")["Body"].read())
    assert {column["Name"] for column in table["StorageDescriptor"]["Columns"]} == set(row)
    api.delete(f"{batch}/jobs/etl-now")


def test_the_job_s_namespace_takes_no_pod_that_could_reach_its_machine(checkout: Checkout) -> None:
    spec = {"containers": [{"name": "x", "image": "x"}], "volumes": [{"name": "etc", "hostPath": {"path": "/etc"}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
    with pytest.raises(ApiError, match="PodSecurity"):
        checkout.kubernetes().create("/api/v1/namespaces/data-pipeline/pods", pod)


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
    assert checkout.aws("backup").list_backup_vaults()["BackupVaultList"] == []
    assert len(checkout.aws("s3").list_buckets()["Buckets"]) == 3
