"""Replicas follow the load, and an autoscaler knows what a node of an empty pool would have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.autoscaling import (
    CpuMetric,
    ExternalMetric,
    PodMetric,
    ServiceAutoscaling,
    ServiceAutoscalingArgs,
    node_template_tags,
)
from components.settings import PoolConfig

from .mocks import run
from .stack_files import only
from .test_node_pool import pool

WHOLE: dict[str, Any] = {
    "namespace": "serve", "deployment": "llm", "min_replicas": 2, "max_replicas": 8,
    "metrics": (CpuMetric(utilization_percent=70),),
}  # fmt: skip


def autoscaler(**changes: Any) -> dict[str, Any]:
    def declare() -> None:
        ServiceAutoscaling("llm", ServiceAutoscalingArgs(**{**WHOLE, **changes}))

    cloud = run(lambda: declare())[0]  # type: ignore[func-returns-value]
    (found,) = cloud.of("kubernetes:autoscaling/v2:HorizontalPodAutoscaler").values()
    return found


def test_every_kind_of_metric_is_one_that_kubernetes_knows() -> None:
    metrics = (
        CpuMetric(utilization_percent=70), PodMetric(name="in_flight", average="4"),
        ExternalMetric(name="queue_length", average="10", labels={"queue": "llm"}),
        ExternalMetric(name="other", average="1"),
    )  # fmt: skip
    found = autoscaler(metrics=metrics)["spec"]["metrics"]
    assert [metric["type"] for metric in found] == ["Resource", "Pods", "External", "External"]
    assert found[0]["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    assert found[1]["pods"]["target"] == {"type": "AverageValue", "averageValue": "4"}
    assert found[2]["external"]["metric"] == {"name": "queue_length", "selector": {"matchLabels": {"queue": "llm"}}}
    assert "selector" not in found[3]["external"]["metric"]


def test_it_follows_the_deployment_within_its_bounds_and_lets_go_slowly() -> None:
    spec = autoscaler()["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llm"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 8)
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


@pytest.mark.parametrize(
    ("change", "what"),
    [({"metrics": ()}, "nothing to follow"), ({"min_replicas": 0}, "the least is 1"),
     ({"max_replicas": 1}, "no less than the least"), ({"settle_s": 3601}, "0 to 3600")],
)  # fmt: skip
def test_what_could_not_scale_is_refused(change: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        ServiceAutoscalingArgs(**{**WHOLE, **change})


def test_an_empty_autoscaled_pool_tells_its_chips_and_fabric() -> None:
    config: dict[str, Any] = {"instance_type": "p5en.48xlarge", "desired_size": 0, "max_size": 4}
    start = "k8s.io/cluster-autoscaler/node-template/resources/"
    assert node_template_tags(PoolConfig(**config, autoscaled=True)) == {
        f"{start}nvidia.com/gpu": "8", f"{start}vpc.amazonaws.com/efa": "16", f"{start}hugepages-2Mi": "5120Mi",
    }  # fmt: skip
    assert node_template_tags(PoolConfig(**config)) == {}


def test_a_pool_that_an_autoscaler_could_not_change_is_refused(tmp_path: Path) -> None:
    problem = only(tmp_path, "desired_size: 2", "desired_size: 2\n      min_size: 2\n      autoscaled: true")
    assert (problem.line, problem.column, problem.key) == (12, 19, "ai-datacenter:pools.cpu.autoscaled")
    assert "min_size and max_size are both 2" in problem.message


@pytest.mark.parametrize("autoscaled", [True, False])
def test_what_an_autoscaler_has_set_is_not_taken_back(autoscaled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    original = pulumi.ResourceOptions.__init__

    def spy(self: Any, *args: Any, **options: Any) -> None:
        seen.append(options.get("ignore_changes") or [])
        original(self, *args, **options)

    monkeypatch.setattr(pulumi.ResourceOptions, "__init__", spy)
    pool(autoscaled=autoscaled, max_size=4)
    assert (["scalingConfig.desiredSize"] in seen) is autoscaled
