"""The machine that watches the others: reached from inside only, encrypted, with no more rights than it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.config import ConfigurationError, load
from components.monitoring import Monitoring, MonitoringArgs, VerdictSource, find_nodes
from components.naming import NODES_TAG
from components.outputs import DatacenterOutputs
from components.settings import MonitoringConfig
from components.user_data import user_data
from tests.playbooks.prometheus import defaults

from .mocks import Cloud, run
from .stack_files import GOOD
from .test_datacenter import program

VERDICTS = VerdictSource(
    bucket_name="data", bucket_arn="arn:aws:s3:::data", prefix="smoke-test",
    keys=("smoke-test/nodes/job/verdict.json", "smoke-test/slices/other/verdict.json"),
)  # fmt: skip


def declared(verdicts: VerdictSource | None = None, **config: Any) -> Cloud:
    def declare() -> None:
        args = MonitoringArgs(
            name="dc", region="us-east-2", config=MonitoringConfig(**{"instance_type": "m7i.large", **config}),
            vpc_id="vpc-1", vpc_cidr="10.0.0.0/16", subnet_id="subnet-1", cluster_security_group_id="sg-cluster",
            bucket_arn="arn:aws:s3:::data", key_arn="arn:key",
            archive='{"path": "https://s3.us-east-2.amazonaws.com/data/playbooks/a.zip"}',
            verdicts=verdicts,
        )  # fmt: skip
        Monitoring("monitoring", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def instance(cloud: Cloud) -> dict[str, Any]:
    (found,) = cloud.of("aws:ec2/instance:Instance").values()
    return found


def test_prometheus_is_asked_from_inside_the_vpc_only_and_nodes_let_it_ask_their_exporters() -> None:
    rules = declared().of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    inside, nodes = rules["monitoring-from-inside"], rules["monitoring-to-nodes"]
    assert (inside["cidrIpv4"], inside["fromPort"], inside["toPort"]) == ("10.0.0.0/16", 9090, 9090)
    assert (nodes["securityGroupId"], nodes["referencedSecurityGroupId"]) == ("sg-cluster", "monitoring-group-id")
    assert (nodes["fromPort"], nodes["toPort"]) == (9100, 9100)


def test_its_disk_is_encrypted_gp3_and_its_role_is_had_with_a_session_s_token_only() -> None:
    found = instance(declared(disk_size_gb=80))
    disk, metadata = found["rootBlockDevice"], found["metadataOptions"]
    assert (disk["volumeType"], disk["encrypted"], disk["kmsKeyId"], disk["volumeSize"]) == ("gp3", True, "arn:key", 80)
    assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
    assert "associatePublicIpAddress" not in found


def test_it_may_look_for_nodes_read_the_playbooks_and_be_managed_and_nothing_else() -> None:
    policies = declared().of("aws:iam/rolePolicy:RolePolicy")
    assert set(policies) == {f"monitoring-{what}" for what in ("systems-manager", "playbooks", "discovery")}
    (looks,) = find_nodes()["Statement"]
    assert all(action.startswith("ec2:Describe") for action in looks["Action"])


def test_the_association_concerns_the_server_and_tells_it_how_nodes_are_found() -> None:
    (association,) = declared(node_down_s=30, cpu_percent=97).of("aws:ssm/association:Association").values()
    assert association["targets"] == [{"key": "tag:ai-datacenter:monitoring", "values": ["dc"]}]
    assert instance(declared())["tags"]["ai-datacenter:monitoring"] == "dc"
    given = association["parameters"]
    assert given["PlaybookFile"] == "monitoring.yml"
    assert ":" not in given["ExtraVariables"]
    variables = dict(pair.split("=") for pair in given["ExtraVariables"].split())
    assert variables.pop("SSM") == "True"
    assert set(variables) <= set(defaults())
    assert (variables["prometheus_ec2_region"], variables["prometheus_ec2_tag_value"]) == ("us-east-2", "dc")
    assert variables["prometheus_node_down_for_s"] == "30"
    assert variables["prometheus_cpu_percent"] == "97"
    assert variables["prometheus_machine_name"] == instance(declared())["tags"]["Name"] == "dc-monitoring"
    assert defaults()["prometheus_ec2_tag_key"] == NODES_TAG


def test_it_may_read_verdicts_and_nothing_else_of_the_bucket() -> None:
    cloud = declared(VERDICTS)
    get, listing = json.loads(cloud.of("aws:iam/rolePolicy:RolePolicy")["monitoring-verdict"]["policy"])["Statement"]
    assert (get["Action"], get["Resource"]) == ("s3:GetObject", "arn:aws:s3:::data/smoke-test/*/verdict.json")
    assert (listing["Action"], listing["Resource"]) == ("s3:ListBucket", "arn:aws:s3:::data")
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "smoke-test/*"}}
    (association,) = cloud.of("aws:ssm/association:Association").values()
    told = dict(pair.split("=") for pair in association["parameters"]["ExtraVariables"].split())
    assert set(told) - {"SSM"} <= set(defaults())
    assert told["prometheus_verdict_bucket"] == "data"
    assert told["prometheus_verdict_keys"] == ",".join(VERDICTS.keys)


def test_the_verdict_that_is_looked_for_is_that_of_the_job_that_is_declared() -> None:
    cloud, _ = program("local")
    told = cloud.of("aws:ssm/association:Association")["monitoring-association"]["parameters"]["ExtraVariables"]
    (job,) = (one["metadata"]["name"] for one in cloud.of("kubernetes:batch/v1:Job").values())
    assert f"prometheus_verdict_keys=smoke-test/nodes/{job}/verdict.json" in told.split()


def test_what_the_stack_file_leaves_out_is_what_the_role_has() -> None:
    config, role = MonitoringConfig(instance_type="m7i.large"), defaults()
    assert config.node_down_s == role["prometheus_node_down_for_s"]
    assert config.scrape_interval_s == role["prometheus_scrape_interval_s"]
    assert config.retention_days == role["prometheus_retention_days"]
    for name in ("cpu_percent", "memory_percent", "disk_percent"):
        assert getattr(config, name) == role[f"prometheus_{name}"]


def test_a_newer_ansible_does_not_take_the_machine_away_with_all_that_it_has_measured() -> None:
    found = instance(declared())
    assert found["userData"] == user_data("us-east-2")
    assert found["userDataReplaceOnChange"] is False


@pytest.mark.parametrize("stack", ["local", "prod"])
def test_the_shipped_data_centres_are_watched(stack: str) -> None:
    outputs = DatacenterOutputs.model_validate(program(stack)[1])
    assert outputs.monitoring
    assert outputs.monitoring.url.endswith(":9090")


def test_a_stack_file_without_the_section_declares_no_server(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(GOOD)
    assert load(tmp_path / "Pulumi.test.yaml").monitoring is None


def test_a_server_with_accelerators_is_refused_with_the_types_that_fit(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(GOOD + "  ai-datacenter:monitoring:\n    instance_type: g6.xlarge\n")
    with pytest.raises(ConfigurationError) as refused:
        load(file)
    (problem,) = refused.value.problems
    assert (problem.line, problem.key) == (14, "ai-datacenter:monitoring.instance_type")
    assert "m7i.large" in problem.allowed
    assert "g6.12xlarge" not in problem.allowed


@pytest.mark.parametrize("region", ["mx-central-1", "ap-east-2", "ap-southeast-6", "ap-southeast-7"])
def test_no_type_is_refused_in_a_region_whose_offers_are_unknown(region: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    text = GOOD.replace("us-east-1", region).replace("us-west-2", region)
    file.write_text(text + "  ai-datacenter:monitoring:\n    instance_type: m7i.large\n")
    config = load(file)
    assert config.aws.region == region
    assert config.monitoring


def test_a_wrong_key_of_the_section_is_told_with_the_known_keys(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(GOOD + "  ai-datacenter:monitoring:\n    instance_type: m7i.large\n    disk_size: 100\n")
    with pytest.raises(ConfigurationError, match=r'15:5: .*no such key.*"disk_size_gb"'):
        load(file)


def test_the_policies_are_json() -> None:
    for policy in declared().of("aws:iam/rolePolicy:RolePolicy").values():
        assert json.loads(policy["policy"])["Version"]
