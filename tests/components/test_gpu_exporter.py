"""GPUs tell of their health on the nodes that have them, to the machine that watches and to nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.gpu_exporter import DCGM_PORT, counters
from tests.playbooks.prometheus import defaults, rules

from .stack_files import GOOD, problems
from .test_datacenter import program


def pod() -> dict[str, Any]:
    return program("prod")[0].of("kubernetes:apps/v1:DaemonSet")["gpu-exporter-pods"]["spec"]["template"]["spec"]


def test_it_runs_on_pools_with_gpus_alone_whatever_their_taints() -> None:
    affinity = pod()["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (expression,) = affinity["nodeSelectorTerms"][0]["matchExpressions"]
    assert expression["values"] == ["h200", "llm"]
    assert pod()["tolerations"] == [{"operator": "Exists"}]
    assert not [name for name in program("local")[0].of("kubernetes:apps/v1:DaemonSet") if "gpu" in name]


def test_it_takes_no_gpu_no_capability_and_no_credentials() -> None:
    (container,) = pod()["containers"]
    assert "nvidia.com/gpu" not in container["resources"]["requests"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in container["securityContext"]
    assert pod()["automountServiceAccountToken"] is False


def test_the_machine_that_watches_is_let_in_at_its_port_and_told_which_nodes_have_gpus() -> None:
    cloud = program("prod")[0]
    rule = cloud.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")["monitoring-to-gpus"]
    assert rule["referencedSecurityGroupId"] == "monitoring-group-id"
    assert rule["fromPort"] == rule["toPort"] == DCGM_PORT == defaults()["prometheus_dcgm_port"]
    given = cloud.of("aws:ssm/association:Association")["monitoring-association"]["parameters"]["ExtraVariables"]
    assert "prometheus_gpu_instance_types=g6e.2xlarge,g6e.xlarge,p5en.48xlarge" in given.split()


def test_what_rules_ask_for_is_counted() -> None:
    counted = {line.split(",")[0] for line in counters().splitlines()}
    asked = {word.partition("{")[0] for word in rules().replace("(", " ").split() if word.startswith("DCGM_")}
    assert asked
    assert asked <= counted
    assert all(len(line.split(",")) == 3 for line in counters().splitlines())


def test_gpus_that_nobody_has_are_not_measured(tmp_path: Path) -> None:
    section = "  ai-datacenter:monitoring: {instance_type: m7i.large, gpu_metrics: true}\n"
    (problem,) = problems(tmp_path, GOOD + section)
    assert problem.key == "ai-datacenter:monitoring.gpu_metrics"
    assert "no pool has NVIDIA GPUs" in problem.message
