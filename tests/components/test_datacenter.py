"""The whole program, on the stack files that the project ships."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.config import load
from components.datacenter import Datacenter, aws_provider
from components.outputs import DatacenterOutputs

from .mocks import Cloud, run

BUCKET = "aws:s3/bucket:Bucket"
ROOT = Path(__file__).resolve().parents[2]


@cache
def program(stack: str) -> tuple[Cloud, dict[str, Any]]:
    config = load(ROOT / f"Pulumi.{stack}.yaml")

    def declare() -> dict[str, Any]:
        provider = aws_provider(config, stack)
        folders = {"workloads": ROOT / "workloads", "playbooks": ROOT / "playbooks"}
        return Datacenter(config, stack, provider, **folders).outputs()

    return run(declare, stack=stack)


def is_there(provider: str | None) -> bool:
    """Whether the recovery region's provider makes it."""
    return "aws-recovery" in (provider or "")


def template(stack: str) -> dict[str, Any]:
    (job,) = program(stack)[0].of("kubernetes:batch/v1:Job").values()
    return job["spec"]["template"]["spec"]


@pytest.mark.parametrize("stack", ["local", "prod"])
def test_a_shipped_stack_file_declares_a_data_centre_whose_outputs_fit_the_model(stack: str) -> None:
    outputs = DatacenterOutputs.model_validate(program(stack)[1])
    assert outputs.smoke_test.verdict
    assert outputs.smoke_test.verdict.passed


@pytest.mark.parametrize("stack", ["local", "prod"])
def test_the_main_program_is_short(stack: str) -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 60


def test_no_ingress_is_open_to_everyone() -> None:
    for stack in ("local", "prod"):
        for rule in program(stack)[0].of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").values():
            assert not rule.get("cidrIpv4", "").endswith("/0")


def test_the_local_stack_can_touch_no_account_but_the_stand_in() -> None:
    provider = program("local")[0].of("pulumi:providers:aws")["aws"]
    assert json.loads(provider["allowedAccountIds"]) == ["123456789012"]


def test_the_node_group_is_as_large_as_the_stack_file_says() -> None:
    groups = program("prod")[0].of("aws:eks/nodeGroup:NodeGroup")
    assert {name: group["scalingConfig"]["desiredSize"] for name, group in groups.items()} == {
        "pool-cpu-nodes": 3,
        "pool-h200-nodes": 2,
    }


def test_the_accelerator_pod_asks_for_what_its_node_has_and_bears_its_taint() -> None:
    pod = template("prod")
    assert pod["containers"][0]["resources"]["limits"] == {
        "nvidia.com/gpu": "8",
        "vpc.amazonaws.com/efa": "16",
        "hugepages-2Mi": "5120Mi",
    }
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]


def test_only_pools_with_devices_bring_plugins() -> None:
    assert program("local")[0].of("kubernetes:apps/v1:DaemonSet") == {}
    found = program("prod")[0].of("kubernetes:apps/v1:DaemonSet")
    assert {name for name in found if name.startswith("device-plugins-")} == {
        "device-plugins-nvidia-device-plugin",
        "device-plugins-efa-device-plugin",
    }


def test_a_small_stack_gets_no_file_system_no_driver_and_no_class_of_storage() -> None:
    kinds = {resource.typ for resource in program("local")[0].resources}
    assert not [kind for kind in kinds if kind.startswith(("aws:fsx", "aws:efs", "kubernetes:storage"))]
    addons = program("local")[0].of("aws:eks/addon:Addon").values()
    assert not [one["addonName"] for one in addons if "csi" in one["addonName"]]


def test_a_small_stack_gets_no_pipeline_and_one_that_asks_for_it_all_of_it_in_its_outputs() -> None:
    kinds = {resource.typ for resource in program("local")[0].resources}
    assert not [kind for kind in kinds if "datasync" in kind or "glue" in kind or "CronJob" in kind]
    assert DatacenterOutputs.model_validate(program("local")[1]).data_pipeline is None
    found = DatacenterOutputs.model_validate(program("prod")[1])
    pipeline = found.data_pipeline
    assert pipeline
    assert pipeline.etl
    assert pipeline.catalogue
    assert {one.name for one in pipeline.migrations} == {"crawl", "books", "old-homes"}
    assert (pipeline.etl.output_url, pipeline.etl.dataset) == (f"s3://{found.buckets.data}/tokens/", "tokens")


def test_a_migration_to_a_file_system_goes_to_the_one_that_the_stack_file_names() -> None:
    cloud = program("prod")[0]
    (location,) = cloud.of("aws:datasync/efsLocation:EfsLocation").values()
    assert location["efsFileSystemArn"].endswith(":efs-homes-file-system")
    assert location["ec2Config"]["subnetArn"].endswith("subnet/network-storage-0-id")
    into = cloud.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")["data-pipeline-old-homes-in-efs"]
    assert into["securityGroupId"] == "efs-homes-group-id"


def test_what_a_stack_file_says_of_datasets_reaches_their_places_and_the_outputs() -> None:
    cloud, found = program("prod")
    outputs = DatacenterOutputs.model_validate(found)
    of = {one.name: one for one in outputs.datasets}
    assert (of["tokens"].class_, of["tokens"].rpo_minutes, of["tokens"].id) == ("critical", 15, outputs.buckets.data)
    ids = {system.name: system.id for system in outputs.file_systems}
    assert (of["token-cache"].id, of["homes"].id) == (ids["fast"], ids["homes"])
    (lustre,) = cloud.of("aws:fsx/lustreFileSystem:LustreFileSystem").values()
    assert lustre["tags"]["ai-datacenter:dataset/token-cache"] == "class=reproducible owner=data-team"


def test_a_lustre_file_system_is_in_the_subnet_and_the_fabric_of_the_pool_that_reads_it() -> None:
    cloud = program("prod")[0]
    (lustre,) = cloud.of("aws:fsx/lustreFileSystem:LustreFileSystem").values()
    assert [lustre["subnetIds"]] == cloud.of("aws:eks/nodeGroup:NodeGroup")["pool-h200-nodes"]["subnetIds"]
    rules = cloud.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert rules["lustre-fast-in-fabric-h200"]["referencedSecurityGroupId"] == "pool-h200-fabric-id"


def test_every_file_system_has_a_class_that_pods_can_ask_for() -> None:
    cloud, found = program("prod")
    classes = cloud.of("kubernetes:storage.k8s.io/v1:StorageClass").values()
    known = {one["metadata"]["name"] for one in classes}
    assert {system.storage_class for system in DatacenterOutputs.model_validate(found).file_systems} <= known
    assert known == {"lustre-fast", "efs-homes", "ebs-gp3", "ebs-fast"}


def test_the_association_of_the_nodes_concerns_those_of_this_data_centre_and_no_other_machine() -> None:
    cloud = program("prod")[0]
    association = cloud.of("aws:ssm/association:Association")["node-configuration-association"]
    (target,) = association["targets"]
    for template in cloud.of("aws:ec2/launchTemplate:LaunchTemplate").values():
        tags = next(one["tags"] for one in template["tagSpecifications"] if one["resourceType"] == "instance")
        assert target == {"key": "tag:ai-datacenter:nodes", "values": [tags["ai-datacenter:nodes"]]}
    (server,) = cloud.of("aws:ec2/instance:Instance").values()
    assert "ai-datacenter:nodes" not in server["tags"]


def test_what_is_kept_is_copied_to_the_recovery_region_and_the_outputs_say_where() -> None:
    cloud, found = program("prod")
    replicas = DatacenterOutputs.model_validate(found).replicas
    assert replicas
    there = {one.inputs["bucket"] for one in cloud.resources if one.typ == BUCKET and is_there(one.provider)}
    assert set(replicas.buckets.values()) == {name for name in there if "standby-logs" not in name}
    assert set(replicas.buckets) == {"data", "checkpoints"}
    assert set(replicas.file_systems) == {"homes"}
    assert replicas.repository_url
    there_too = [one for one in cloud.resources if is_there(one.provider)]
    (lock,) = (one for one in there_too if one.typ.endswith(":BucketObjectLockConfiguration"))
    assert lock.inputs["bucket"] == replicas.buckets["checkpoints"]


def test_the_name_of_the_load_balancer_leads_to_the_standby_where_its_own_does_not_serve() -> None:
    cloud, found = program("prod")
    outputs = DatacenterOutputs.model_validate(found)
    assert outputs.failover
    assert outputs.load_balancer
    records = cloud.of("aws:route53/record:Record")
    (alias,) = records["load-balancer-record"]["aliases"]
    assert {records[f"failover-{part}"]["name"] for part in ("primary", "secondary")} == {alias["name"]}
    standby = next(one for one in cloud.resources if one.name == "standby-balancer")
    assert is_there(standby.provider)
    assert outputs.failover.standby_target_group_arn != outputs.load_balancer.target_group_arn


def test_the_standby_s_certificate_is_proved_by_the_first_one_s_record_which_is_there_once() -> None:
    cloud = program("prod")[0]
    proofs = [name for name in cloud.of("aws:route53/record:Record") if "certificate" in name]
    assert proofs == ["load-balancer-certificate-record"]
    issued = cloud.of("aws:acm/certificateValidation:CertificateValidation")
    assert set(issued) == {"load-balancer-certificate-issued", "standby-certificate-issued"}


def test_without_a_recovery_section_nothing_is_anywhere_else() -> None:
    cloud, found = program("local")
    assert not [one.name for one in cloud.resources if is_there(one.provider)]
    outputs = DatacenterOutputs.model_validate(found)
    assert (outputs.replicas, outputs.failover) == (None, None)
