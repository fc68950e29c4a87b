"""Whom Prometheus watches, and when it warns. `promtool` runs the rules where it is installed; elsewhere the machine
that a data centre of `make hosts` watches itself with runs them (tests/end_to_end/test_machines.py)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML

from .prometheus import ROLE, RULES_TESTS, SECRET, render, rules

PROMTOOL = shutil.which("promtool")
NEEDS_PROMTOOL = pytest.mark.skipif(PROMTOOL is None, reason="promtool (of the package prometheus) is not on PATH")


def configuration(nodes: list[str], **variables: Any) -> dict[str, Any]:
    text = render("prometheus.yml.j2", _prometheus_nodes=nodes, inventory_hostname="server", **variables)
    return YAML(typ="safe").load(text)


def jobs(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in found["scrape_configs"]}


def by_name(text: str) -> dict[str, dict[str, Any]]:
    """The rules of a file by the names of their alerts."""
    return {rule["alert"]: rule for group in YAML(typ="safe").load(text)["groups"] for rule in group["rules"]}


def test_the_nodes_of_the_inventory_are_the_targets_under_the_names_that_kubernetes_has_for_them() -> None:
    hosts = {"a": SimpleNamespace(ansible_host="192.0.2.1"), "b": SimpleNamespace(ansible_host="192.0.2.2")}
    assert json.loads(render("targets.json.j2", _prometheus_nodes=["a", "b"], hostvars=hosts)) == [
        {"targets": ["192.0.2.1:9100"], "labels": {"node": "a"}},
        {"targets": ["192.0.2.2:9100"], "labels": {"node": "b"}},
    ]
    assert json.loads(render("targets.json.j2", _prometheus_nodes=[], hostvars={})) == []


def test_an_ipv6_address_is_set_apart_from_its_port() -> None:
    hosts = {"a": SimpleNamespace(ansible_host="2001:db8::1"), "b": SimpleNamespace(ansible_host="[2001:db8::2]")}
    found = json.loads(render("targets.json.j2", _prometheus_nodes=["a", "b"], hostvars=hosts))
    assert [one["targets"] for one in found] == [["[2001:db8::1]:9100"], ["[2001:db8::2]:9100"]]


def test_an_inventory_that_names_nodes_needs_no_cloud() -> None:
    node = jobs(configuration(["a"]))["node"]
    assert node["file_sd_configs"] == [{"files": ["/etc/prometheus/targets/nodes.json"]}]
    assert "ec2_sd_configs" not in node


def test_without_one_the_nodes_are_those_instances_that_bear_the_data_centre_s_tag_and_should_run() -> None:
    node = jobs(configuration([], prometheus_ec2_region="us-east-2", prometheus_ec2_tag_value="dc"))["node"]
    (found,) = node["ec2_sd_configs"]
    assert found["region"] == "us-east-2"
    assert found["filters"] == [{"name": "tag:ai-datacenter:nodes", "values": ["dc"]}]
    assert node["relabel_configs"][0] == {"source_labels": ["__meta_ec2_private_dns_name"], "target_label": "node"}
    assert found["refresh_interval"] == "30s"
    (gone,) = [rule for rule in node["relabel_configs"] if rule.get("action") == "drop"]
    assert gone["source_labels"] == ["__meta_ec2_instance_state"]
    states = ("pending", "running", "stopping", "stopped", "shutting-down", "terminated")
    assert {one for one in states if re.fullmatch(gone["regex"], one)} == {"pending", "shutting-down", "terminated"}
    assert "file_sd_configs" not in node


def test_only_nodes_with_gpus_are_asked_for_them_and_only_where_they_are_found_by_their_tag() -> None:
    variables = {"prometheus_ec2_region": "us-east-2", "prometheus_ec2_tag_value": "dc"}
    assert "gpu" not in jobs(configuration([], **variables))
    types = {"prometheus_gpu_instance_types": "g6.xlarge,p5en.48xlarge"}
    (found,) = jobs(configuration([], **variables, **types))["gpu"]["ec2_sd_configs"]
    filters = {one["name"]: one["values"] for one in found["filters"]}
    assert filters["instance-type"] == ["g6.xlarge", "p5en.48xlarge"]
    assert (filters["tag:ai-datacenter:nodes"], found["port"]) == (["dc"], 9400)
    assert "gpu" not in jobs(configuration(["a"], **types))


def test_the_server_watches_itself() -> None:
    (own,) = jobs(configuration(["a"]))["monitoring"]["static_configs"]
    assert own == {"targets": ["localhost:9100"], "labels": {"node": "server"}}
    (named,) = jobs(configuration(["a"], prometheus_machine_name="dc-monitoring"))["monitoring"]["static_configs"]
    assert named["labels"] == {"node": "dc-monitoring"}


def test_each_rule_names_the_node_and_says_what_to_do() -> None:
    found = by_name(rules(prometheus_verdict_bucket="checkpoints"))
    of_nodes = {"NodeDown", "NoNodeWatched", "NodeCPUHigh", "NodeMemoryHigh", "NodeDiskFull"}
    of_gpus = {"GPUExporterDown", "GPUXidError", "GPUMemoryError", "GPUThrottledByHeat"}
    of_the_smoke_test = {"SmokeTestFailed", "SmokeTestMissing", "SmokeTestUnread"}
    assert set(found) == of_nodes | of_gpus | of_the_smoke_test | {"SmokeTestUntold"}
    for name, rule in found.items():
        summary = rule["annotations"]["summary"]
        assert ("{{ $labels.node }}" in summary) == (
            name not in {"NoNodeWatched", "SmokeTestUntold", *of_the_smoke_test}
        )
        assert ("{{ $labels.job_name }}" in summary) == (name in of_the_smoke_test)
        assert len(rule["annotations"]["description"].split()) > 20
        assert "[[" not in str(rule)


def test_every_verdict_is_looked_for() -> None:
    known = YAML(typ="safe").load(ROLE / "vars" / "main.yml")
    unit = render(
        "smoke-test-metrics.service.j2", **{**known, "prometheus_verdict_keys": "a/verdict.json,b/verdict.json"}
    )
    (command,) = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    assert command.split()[-2:] == ["a/verdict.json", "b/verdict.json"]


def test_a_test_that_passed_can_be_run_again_where_there_is_no_aidc() -> None:
    told = by_name(rules())["SmokeTestFailed"]["annotations"]["description"]
    assert "`pulumi up --replace '**::*smoke-test-job*'`" in told


def test_metrics_of_a_smoke_test_are_missed_only_where_one_is_looked_for() -> None:
    assert "SmokeTestUntold" not in by_name(rules())


def test_no_rule_advises_what_a_data_centre_does_not_have() -> None:
    assert "kubectl top" not in rules(), "nothing installs a metrics server"
    assert "pulumi up" in by_name(rules())["NodeDown"]["annotations"]["description"], "there is no `aidc up` on AWS"


def test_thresholds_and_times_are_those_of_the_variables() -> None:
    found = by_name(rules(prometheus_node_down_for_s=5, prometheus_new_node_s=600, prometheus_disk_percent=50))
    assert found["NodeDown"]["for"] == "5s"
    assert "offset 600s" in found["NodeDown"]["expr"]
    assert "> 50" in found["NodeDiskFull"]["expr"]


def test_a_secret_comes_whole_to_what_asks_aws_and_into_no_unit(tmp_path: Path) -> None:
    """A shell reads what stands in double quotes as systemd does."""
    variables = {"prometheus_aws_environment": {"AWS_SECRET_ACCESS_KEY": SECRET}, "prometheus_ec2_region": "us-east-2"}
    known = YAML(typ="safe").load(ROLE / "vars" / "main.yml")
    unit = render("smoke-test-metrics.service.j2", **{**known, **variables})
    assert "EnvironmentFile=/etc/default/smoke-test-metrics" in unit
    assert "AWS_" not in unit
    file = tmp_path / "environment"
    file.write_text(render("smoke-test-metrics.env.j2", **variables))
    told = ["sh", "-c", f'. {file}; printf "%s|%s" "$AWS_DEFAULT_REGION" "$AWS_SECRET_ACCESS_KEY"']
    assert subprocess.check_output(told, text=True) == f"us-east-2|{SECRET}"


def test_the_file_with_the_secret_is_root_s_alone_and_no_log_has_it() -> None:
    tasks = YAML(typ="safe").load(ROLE / "tasks" / "verdict.yml")
    (task,) = [one for one in tasks if "smoke-test-metrics.env.j2" in str(one)]
    assert (task["ansible.builtin.template"]["mode"], task["no_log"]) == ("0600", True)


@NEEDS_PROMTOOL
@pytest.mark.parametrize(("file", "bucket"), RULES_TESTS.items())
def test_the_rules_fire_when_they_should_and_not_before(tmp_path: Path, file: Path, bucket: str) -> None:
    (tmp_path / "rules.yml").write_text(rules(prometheus_verdict_bucket=bucket))
    shutil.copy(file, tmp_path)
    run = subprocess.run(["promtool", "test", "rules", file.name], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@NEEDS_PROMTOOL
@pytest.mark.parametrize("nodes", [["a"], []])
def test_promtool_finds_no_fault_in_the_configuration(tmp_path: Path, nodes: list[str]) -> None:
    path = tmp_path / "prometheus.yml"
    (tmp_path / "rules.yml").write_text(rules())
    variables: dict[str, Any] = {"prometheus_ec2_region": "us-east-2", "prometheus_ec2_tag_value": "dc"}
    variables["prometheus_gpu_instance_types"] = "g6.xlarge,p5en.48xlarge"
    variables |= {"_prometheus_rules": tmp_path / "rules.yml", "_prometheus_targets": tmp_path / "nodes.json"}
    path.write_text(render("prometheus.yml.j2", _prometheus_nodes=nodes, inventory_hostname="server", **variables))
    run = subprocess.run(["promtool", "check", "config", path], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
