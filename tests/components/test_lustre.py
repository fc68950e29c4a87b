"""A Lustre file system: its size and kind, who reaches it, and its tie to a bucket."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.lustre import Lustre, LustreArgs
from components.settings import LustreConfig

from .mocks import Cloud, run

SYSTEM = "aws:fsx/lustreFileSystem:LustreFileSystem"
LINK = "aws:fsx/dataRepositoryAssociation:DataRepositoryAssociation"


def lustre(**config: Any) -> Cloud:
    base: dict[str, Any] = {"capacity_gib": 2400, "throughput_mb_s_per_tib": 250, "zone": "us-east-1b", **config}

    def declare() -> None:
        args = LustreArgs(
            name="dc", system="fast", config=LustreConfig(**{k: v for k, v in base.items() if v is not None}),
            vpc_id="vpc-1", subnet_id="subnet-b", nodes_security_group_id="sg-nodes",
            fabric_group_ids={"gpu": pulumi.Output.from_input("sg-fabric")},
            bucket_names={"data": pulumi.Output.from_input("dc-data")}, key_arn="arn:key", retain=True,
            tags={"team": "t"},
        )  # fmt: skip
        Lustre("lustre-fast", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def scratch(**config: Any) -> Cloud:
    return lustre(deployment="scratch_2", throughput_mb_s_per_tib=None, **config)


def system(cloud: Cloud) -> dict[str, Any]:
    (found,) = cloud.of(SYSTEM).values()
    return found


def rules(cloud: Cloud, direction: str) -> set[tuple[str, str, int, int]]:
    found = cloud.of(f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule").values()
    assert {rule["ipProtocol"] for rule in found} == {"tcp"}
    keys = ("securityGroupId", "referencedSecurityGroupId", "fromPort", "toPort")
    return {tuple(rule[key] for key in keys) for rule in found}  # type: ignore[misc]


def test_a_persistent_file_system_is_encrypted_with_the_data_centre_s_key_and_logs() -> None:
    found = system(lustre())
    assert (found["deploymentType"], found["storageCapacity"], found["perUnitStorageThroughput"]) == (
        "PERSISTENT_2",
        2400,
        250,
    )
    assert (found["kmsKeyId"], found["subnetIds"], found["dataCompressionType"]) == ("arn:key", "subnet-b", "LZ4")
    assert found["logConfiguration"]["level"] == "WARN_ERROR"
    (logs,) = lustre().of("aws:cloudwatch/logGroup:LogGroup").values()
    assert logs["name"] == "/aws/fsx/dc-fast"
    assert found["tags"] == {"Name": "dc-fast", "team": "t"}


def test_a_scratch_file_system_is_asked_for_nothing_that_only_persistent_ones_have() -> None:
    found = system(scratch())
    only = {
        "perUnitStorageThroughput",
        "kmsKeyId",
        "efaEnabled",
        "metadataConfiguration",
        "automaticBackupRetentionDays",
    }
    assert not only & set(found)


def test_exactly_the_ports_of_lustre_are_open_and_only_between_nodes_and_servers() -> None:
    cloud, group = lustre(), "lustre-fast-group-id"
    for low, high in ((988, 988), (1018, 1023)):
        mine = {(group, group, low, high), (group, "sg-nodes", low, high)}
        assert mine <= rules(cloud, "Ingress")
        assert mine <= rules(cloud, "Egress")
        assert ("sg-nodes", group, low, high) in rules(cloud, "Ingress")
    assert (len(rules(cloud, "Ingress")), len(rules(cloud, "Egress"))) == (6, 4)


def test_efa_lets_everything_through_between_servers_and_the_fabric_of_nodes_both_ways() -> None:
    cloud, group = lustre(efa=True, capacity_gib=19_200), "lustre-fast-group-id"
    for direction in ("Ingress", "Egress"):
        found = cloud.of(f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule").values()
        everything = [rule for rule in found if rule["ipProtocol"] == "-1"]
        pairs = {(rule["securityGroupId"], rule["referencedSecurityGroupId"]) for rule in everything}
        assert pairs == {(group, group), (group, "sg-fabric"), ("sg-fabric", group)}
        assert not any("fromPort" in rule for rule in everything)


def test_another_pool_does_not_cost_the_file_system() -> None:
    assert system(lustre(efa=True, capacity_gib=19_200))["securityGroupIds"] == ["lustre-fast-group-id"]


def test_there_is_no_tie_to_a_bucket_unless_asked_for() -> None:
    assert lustre().of(LINK) == {}


def test_a_link_mirrors_the_prefix_both_ways() -> None:
    (found,) = lustre(link={"prefix": "tokens/"}).of(LINK).values()
    assert (found["dataRepositoryPath"], found["fileSystemPath"]) == ("s3://dc-data/tokens/", "/data")
    events = {"events": ["NEW", "CHANGED", "DELETED"]}
    assert found["s3"] == {"autoImportPolicy": events, "autoExportPolicy": events}


def test_a_link_that_only_reads_exports_nothing() -> None:
    (found,) = lustre(link={"export_events": ()}).of(LINK).values()
    assert "autoExportPolicy" not in found["s3"]


@pytest.mark.parametrize(("days", "skip"), [(0, True), (7, False)])
def test_who_keeps_backups_gets_a_last_one_when_the_file_system_goes(days: int, skip: bool) -> None:
    found = system(lustre(backup_retention_days=days))
    assert (found["automaticBackupRetentionDays"], found["skipFinalBackup"]) == (days, skip)


def test_beginning_with_backups_or_ending_them_changes_nothing_that_needs_a_new_file_system() -> None:
    without, with_backups = system(lustre()), system(lustre(backup_retention_days=7))
    differing = {key for key in {*without, *with_backups} if without.get(key) != with_backups.get(key)}
    assert differing == {"automaticBackupRetentionDays", "skipFinalBackup"}


@pytest.mark.parametrize(
    ("iops", "metadata"), [(None, {"mode": "AUTOMATIC"}), (12_000, {"mode": "USER_PROVISIONED", "iops": 12_000})]
)
def test_metadata_operations_grow_with_the_capacity_or_are_bought(iops: int | None, metadata: dict[str, Any]) -> None:
    assert system(lustre(metadata_iops=iops))["metadataConfiguration"] == metadata
