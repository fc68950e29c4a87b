"""Teams have their part and no more of their own, priorities stay below the system's, and Kueue is asked for only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.scheduling import Scheduling, SchedulingArgs
from components.settings import PoolConfig, SchedulingConfig
from components.settings.scheduling import TAKEN_NAMESPACES
from components.smoke_test_pod import NAMESPACE

from .mocks import Cloud, run
from .stack_files import GOOD, problems

POOLS: dict[str, dict[str, Any]] = {
    "cpu": {"instance_type": "m7i.2xlarge", "desired_size": 3},
    "h200": {"instance_type": "p5en.48xlarge", "desired_size": 4},
    "trn": {"instance_type": "trn2.48xlarge", "desired_size": 1},
}
SECTION: dict[str, Any] = {
    "teams": {
        "vision": {"quotas": {"h200": {"nodes": 2}, "cpu": {"nodes": 1}}, "borrows": False, "max_pods": 50},
        "language": {"quotas": {"h200": {"chips": 8}}, "lends": False},
    },
    "priorities": {"urgent": {"value": 1000}, "usual": {"value": 0, "default": True, "preempts": False}},
}
KUEUE = "kubernetes:kueue.x-k8s.io/v1beta2"


def declared(**more: Any) -> Cloud:
    config = SchedulingConfig.model_validate({**SECTION, **more})
    pools = {name: PoolConfig(**values) for name, values in POOLS.items()}

    def declare() -> None:
        Scheduling("scheduling", SchedulingArgs(name="dc", config=config, pools=pools, vpc_cidr="10.0.0.0/16"))

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


@pytest.fixture(scope="module")
def plain() -> Cloud:
    return declared()


@pytest.fixture(scope="module")
def queued() -> Cloud:
    return declared(kueue="0.17", topology=True)


def by_name(cloud: Cloud, kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in cloud.of(f"{KUEUE}:{kind}").values()}


def nominal(queue: dict[str, Any], flavour: str) -> dict[str, str]:
    (group,) = queue["spec"]["resourceGroups"]
    (found,) = [one for one in group["flavors"] if one["name"] == flavour]
    assert [one["name"] for one in found["resources"]] == group["coveredResources"]
    return {one["name"]: one["nominalQuota"] for one in found["resources"]}


def test_without_kueue_only_kubernetes_own_objects_are_declared(plain: Cloud) -> None:
    assert not [one.typ for one in plain.resources if "kueue" in one.typ]
    quotas = plain.of("kubernetes:core/v1:ResourceQuota")
    assert quotas["scheduling-language-quota"]["spec"]["hard"]["requests.nvidia.com/gpu"] == "8"
    assert quotas["scheduling-vision-quota"]["spec"]["hard"] == {
        "requests.cpu": "392000m", "requests.memory": "4227072Mi", "requests.nvidia.com/gpu": "16", "pods": "50",
    }  # fmt: skip
    assert {one["metadata"]["name"] for one in plain.of("kubernetes:core/v1:Namespace").values()} == {
        "vision", "language",
    }  # fmt: skip


def test_a_namespace_with_a_quota_gives_requests_to_containers_that_have_none(plain: Cloud) -> None:
    limits = plain.of("kubernetes:core/v1:LimitRange")
    assert len(limits) == 2
    for one in limits.values():
        assert set(one["spec"]["limits"][0]["defaultRequest"]) == {"cpu", "memory"}


def test_who_may_borrow_may_ask_for_the_whole_pool_and_who_may_not_for_its_own(queued: Cloud) -> None:
    quotas = queued.of("kubernetes:core/v1:ResourceQuota")
    assert quotas["scheduling-language-quota"]["spec"]["hard"]["requests.nvidia.com/gpu"] == "32"
    assert quotas["scheduling-vision-quota"]["spec"]["hard"]["requests.nvidia.com/gpu"] == "16"


def test_priorities_are_for_pods_and_for_queued_work(queued: Cloud) -> None:
    classes = queued.of("kubernetes:scheduling.k8s.io/v1:PriorityClass")
    assert classes["scheduling-priority-usual"]["preemptionPolicy"] == "Never"
    assert classes["scheduling-priority-usual"]["globalDefault"] is True
    assert {name: one["value"] for name, one in by_name(queued, "WorkloadPriorityClass").items()} == {
        "urgent": 1000, "usual": 0,
    }  # fmt: skip


def test_every_pool_is_a_flavour_that_only_work_which_tolerates_it_is_taken_in_for(queued: Cloud) -> None:
    flavours = by_name(queued, "ResourceFlavor")
    assert flavours["cpu"]["spec"] == {"nodeLabels": {"ai-datacenter/pool": "cpu"}}
    assert flavours["h200"]["spec"]["nodeTaints"][0]["key"] == "nvidia.com/gpu"
    assert flavours["h200"]["spec"]["topologyName"] == "aws-network"
    assert by_name(queued, "Topology")["aws-network"]["spec"]["levels"][-1] == {"nodeLabel": "kubernetes.io/hostname"}


def test_a_queue_has_its_team_s_part_and_the_cohort_what_nobody_was_promised(queued: Cloud) -> None:
    queues, cohort = by_name(queued, "ClusterQueue"), by_name(queued, "Cohort")["dc"]
    assert nominal(queues["vision"], "h200")["nvidia.com/gpu"] == "16"
    assert nominal(queues["vision"], "cpu")["nvidia.com/gpu"] == "0"
    assert nominal(queues["language"], "h200")["nvidia.com/gpu"] == "8"
    assert nominal(cohort, "h200")["nvidia.com/gpu"] == "8"
    assert nominal(cohort, "trn")["aws.amazon.com/neuron"] == "16"
    assert {queue["spec"]["cohortName"] for queue in queues.values()} == {"dc"}


def test_borrowing_and_lending_are_what_the_team_says(queued: Cloud) -> None:
    for team, there, not_there in (
        ("vision", "borrowingLimit", "lendingLimit"), ("language", "lendingLimit", "borrowingLimit"),
    ):  # fmt: skip
        (group,) = by_name(queued, "ClusterQueue")[team]["spec"]["resourceGroups"]
        for flavour in group["flavors"]:
            assert all(one[there] == "0" and not_there not in one for one in flavour["resources"])


def test_the_team_s_own_queue_is_in_its_namespace(queued: Cloud) -> None:
    found = {one["metadata"]["namespace"]: one for one in queued.of(f"{KUEUE}:LocalQueue").values()}
    assert {team: one["spec"]["clusterQueue"] for team, one in found.items()} == {
        "vision": "vision", "language": "language",
    }  # fmt: skip


def told(tmp_path: Path, section: str) -> list[str]:
    found = problems(tmp_path, f"{GOOD}  ai-datacenter:scheduling: {section}\n")
    return [f"{problem.key.partition(':')[2]}: {problem.message}" for problem in found]


@pytest.mark.parametrize(
    ("section", "where", "what"),
    [
        ("{ teams: { aa: { quotas: { gpu: { nodes: 1 } } } } }", "teams.aa.quotas.gpu", "no such pool"),
        ("{ teams: { aa: { quotas: { cpu: { nodes: 3 } } } } }", "teams.aa.quotas.cpu", "at most 2"),
        (
            "{ teams: { aa: { quotas: { cpu: { nodes: 1 } } }, bb: { quotas: { cpu: { nodes: 2 } } } } }",
            "teams.bb.quotas.cpu",
            "the teams have 3 nodes",
        ),
        ("{ teams: { aa: { quotas: { cpu: { chips: 1 } } } } }", "teams.aa.quotas.cpu.chips", "has no chips"),
        ("{ teams: { aa: { quotas: { cpu: {} } } } }", "teams.aa.quotas.cpu", "one of the two"),
        ("{ teams: { aa: { quotas: { cpu: { nodes: 1, chips: 1 } } } } }", "teams.aa.quotas.cpu", "one of the two"),
        ("{ teams: { aa: { quotas: {} } } }", "teams.aa.quotas", "at least 1"),
        ("{ teams: { kube-system: { quotas: { cpu: { nodes: 1 } } } } }", "teams.kube-system", "not a team's"),
        ("{ teams: { default: { quotas: { cpu: { nodes: 1 } } } } }", "teams.default", "not a team's"),
        ("{ priorities: { aa: { value: 1000000001 } } }", "priorities.aa.value", "system-cluster-critical"),
        ("{ priorities: { system-aa: { value: 1 } } }", "priorities.system-aa", "Kubernetes' own"),
        (
            "{ priorities: { aa: { value: 1, default: true }, bb: { value: 2, default: true } } }",
            "priorities.bb.default",
            "aa is the default",
        ),
        ("{ topology: true }", "topology", "which release is installed"),
        ('{ kueue: "0.1" }', "kueue", "not known"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(tmp_path: Path, section: str, where: str, what: str) -> None:
    (problem,) = told(tmp_path, section)
    assert problem.startswith(f"scheduling.{where}: ")
    assert what in problem


def test_no_team_takes_the_training_job_s_namespace() -> None:
    assert NAMESPACE in TAKEN_NAMESPACES
