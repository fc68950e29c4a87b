"""A new node takes no work until it has been checked; who checks it may take its taint off, and nothing else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.config import load
from components.launch_template import user_data
from components.node_group import taints
from components.node_verification import NodeVerification, NodeVerificationArgs
from components.node_verification_rights import NAMESPACE, POLICY, USER
from components.settings import UNVERIFIED, KarpenterConfig, PoolConfig
from components.settings.scheduling import TAKEN_NAMESPACES
from components.verified_nodes import of_karpenter, of_node_groups

from .mocks import Cloud, run
from .stack_files import GOOD, only, problems
from .test_datacenter import program

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/dc/train:abc"
POOLS: dict[str, dict[str, Any]] = {
    "cpu": {"instance_type": "m7i.2xlarge", "desired_size": 3},
    "h200": {"instance_type": "p5en.48xlarge", "desired_size": 0, "max_size": 4, "verified": True},
}

KARPENTER = KarpenterConfig.model_validate({
    "installed": "1.14",
    "pools": {
        "web": {
            "instance_types": ["m7i.large", "c7i.xlarge"], "limits": {"cpus": 64}, "verified": True,
            "taints": [{"key": "team"}],
        },
        "open": {"instance_types": ["m7i.large"], "limits": {"cpus": 64}},
    },
})  # fmt: skip


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    pools = {name: PoolConfig(**values) for name, values in POOLS.items()}

    def declare() -> None:
        args = NodeVerificationArgs(
            nodes={**of_node_groups(pools), **of_karpenter(KARPENTER)},
            image=pulumi.Output.from_input(IMAGE),
            vpc_cidr="10.0.0.0/16",
            service_cidr="172.20.0.0/16",
        )
        NodeVerification("node-verification", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def pod(cloud: Cloud) -> dict[str, Any]:
    return daemon_set(cloud, "h200")["template"]["spec"]


def daemon_set(cloud: Cloud, name: str) -> dict[str, Any]:
    return cloud.of("kubernetes:apps/v1:DaemonSet")[f"node-verification-{name}"]["spec"]


def node_config(**pool: Any) -> dict[str, Any]:
    data = user_data(PoolConfig(**{"instance_type": "m7i.large", "desired_size": 1, **pool}))
    assert data
    return json.loads(next(line for line in base64.b64decode(data).decode().splitlines() if line.startswith("{")))


def test_a_node_registers_with_the_taint_and_the_label_and_with_its_pool_s_taints() -> None:
    kubelet = node_config(instance_type="p5en.48xlarge", verified=True, max_pods=40)["spec"]["kubelet"]
    assert [taint["key"] for taint in kubelet["config"]["registerWithTaints"]] == ["nvidia.com/gpu", UNVERIFIED]
    assert kubelet["config"]["maxPods"] == 40
    assert kubelet["flags"] == [f"--node-labels={UNVERIFIED}=true"]


def test_a_pool_that_does_not_ask_for_it_has_nothing_of_it() -> None:
    assert user_data(PoolConfig(instance_type="m7i.large", desired_size=1)) is None
    assert not [one for one in program("local")[0].resources if "verification" in one.name]


def test_eks_does_not_hold_what_the_check_takes_off() -> None:
    config = PoolConfig(**POOLS["h200"])
    assert UNVERIFIED not in {taint.key for taint in taints(config)}


def test_the_check_runs_on_unverified_nodes_of_its_pool_alone_and_takes_all_their_chips(cloud: Cloud) -> None:
    assert pod(cloud)["nodeSelector"] == {"ai-datacenter/pool": "h200", UNVERIFIED: "true"}
    assert {one["key"] for one in pod(cloud)["tolerations"]} == {"nvidia.com/gpu", UNVERIFIED}
    (container,) = pod(cloud)["containers"]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "8"}
    environment = {one["name"]: one.get("value") for one in container["env"]}
    assert json.loads(environment["ACCELERATOR"])["instance_type"] == "p5en.48xlarge"


def test_karpenter_s_nodes_are_checked_by_the_row_of_their_own_type(cloud: Cloud) -> None:
    kinds = {"web.m7i.large": "m7i.large", "web.c7i.xlarge": "c7i.xlarge"}
    assert set(cloud.of("kubernetes:apps/v1:DaemonSet")) == {f"node-verification-{name}" for name in ("h200", *kinds)}
    for name, kind in kinds.items():
        spec = daemon_set(cloud, name)["template"]["spec"]
        labels = {"ai-datacenter/pool": "web", "node.kubernetes.io/instance-type": kind}
        assert spec["nodeSelector"] == {**labels, UNVERIFIED: "true"}
        assert {one["key"] for one in spec["tolerations"]} == {"team", UNVERIFIED}
        environment = {one["name"]: one.get("value") for one in spec["containers"][0]["env"]}
        assert json.loads(environment["ACCELERATOR"])["instance_type"] == kind
        assert labels.items() <= daemon_set(cloud, name)["selector"]["matchLabels"].items()


def test_nothing_of_a_machine_of_karpenter_s_counts_as_taken_by_its_check(cloud: Cloud) -> None:
    for name in ("web.m7i.large", "web.c7i.xlarge"):
        (container,) = daemon_set(cloud, name)["template"]["spec"]["containers"]
        assert not container["resources"].get("requests")


def test_nobody_is_checked_before_karpenter_is_there() -> None:
    assert not of_karpenter(KARPENTER.model_copy(update={"installed": None}))
    assert not of_karpenter(None)


# What must run before a node can be checked, and what tells of its chips meanwhile.
SYSTEM = {"nvidia-device-plugin", "neuron-device-plugin", "efa-device-plugin", "dcgm-exporter"}


def pod_specs(stack: str) -> list[tuple[str, dict[str, Any]]]:
    """Everything of a stack that makes pods: kind/name in the cluster, and what the pods are."""
    found: list[tuple[str, dict[str, Any]]] = []
    for one in program(stack)[0].resources:
        spec = one.inputs.get("spec") if one.typ.startswith("kubernetes:") else None
        if not isinstance(spec, dict):
            continue
        spec = spec.get("jobTemplate", {}).get("spec") or spec
        template = spec.get("template", {}).get("spec") or (spec if "containers" in spec else None)
        if template:
            found.append((f"{one.inputs['metadata'].get('namespace')}/{one.inputs['metadata']['name']}", template))
    return found


def tolerates_the_taint(spec: dict[str, Any]) -> bool:
    return any(
        one.get("key") in (UNVERIFIED, None, "") and one.get("effect") in ("NoSchedule", None, "")
        for one in spec.get("tolerations") or ()
    )


def test_nobody_else_tolerates_the_taint_but_what_makes_chips_known() -> None:
    found = [one for stack in ("local", "prod") for one in pod_specs(stack)]
    tolerant = {name for name, spec in found if tolerates_the_taint(spec)}
    checks = {name for name in tolerant if name.startswith(f"{NAMESPACE}/")}
    assert checks
    assert {name.rpartition("/")[2] for name in tolerant - checks} <= SYSTEM
    assert len(found) > len(tolerant), "what keeps away is among them"


def test_a_toleration_of_everything_is_one_of_the_taint() -> None:
    assert tolerates_the_taint({"tolerations": [{"operator": "Exists"}]})
    assert not tolerates_the_taint({"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]})


def test_the_pod_has_a_token_that_ends_and_is_its_own(cloud: Cloud) -> None:
    assert pod(cloud)["automountServiceAccountToken"] is False
    (projected,) = [one["projected"] for one in pod(cloud)["volumes"] if "projected" in one]
    token = next(one["serviceAccountToken"] for one in projected["sources"] if "serviceAccountToken" in one)
    assert token == {"path": "token", "expirationSeconds": 3600}


def test_the_pod_is_as_restricted_as_can_be_and_reaches_the_api_server_alone(cloud: Cloud) -> None:
    (namespace,) = cloud.of("kubernetes:core/v1:Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (allowed,) = [
        one["spec"]
        for name, one in cloud.of("kubernetes:networking.k8s.io/v1:NetworkPolicy").items()
        if name.endswith("-allowed")
    ]
    assert not allowed["ingress"]
    (egress,) = allowed["egress"]
    assert egress["ports"] == [{"protocol": "TCP", "port": 443}]
    assert [one["ipBlock"]["cidr"] for one in egress["to"]] == ["172.20.0.1/32", "10.0.0.0/16"]


def test_the_role_reads_and_patches_nodes_and_the_policy_binds_it(cloud: Cloud) -> None:
    (role,) = cloud.of("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole").values()
    assert role["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "patch"]}]
    kind = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
    (policy,) = cloud.of(kind).values()
    assert policy["spec"]["failurePolicy"] == "Fail"
    assert USER in policy["spec"]["matchConditions"][0]["expression"]
    (binding,) = cloud.of(f"{kind}Binding").values()
    assert binding["spec"] == {"policyName": POLICY, "validationActions": ["Deny", "Audit"]}


def test_no_team_takes_its_namespace() -> None:
    assert NAMESPACE in TAKEN_NAMESPACES


def test_a_taint_or_label_that_the_checks_put_on_is_refused_where_eks_would_keep_it(tmp_path: Path) -> None:
    wrong = (
        f"      desired_size: 2\n      labels: {{ {UNVERIFIED}: 'true' }}\n      taints: [{{ key: {UNVERIFIED} }}]\n"
    )
    found = problems(tmp_path, GOOD.replace("      desired_size: 2\n", wrong))
    assert len(found) == 2
    assert all("verified: true" in problem.message for problem in found)


def test_what_verified_takes_is_yes_or_no(tmp_path: Path) -> None:
    assert "verified" in only(tmp_path, "      desired_size: 2\n", "      desired_size: 2\n      verified: maybe\n").key


def test_chips_that_the_checks_have_not_run_on_keep_no_node_out(tmp_path: Path) -> None:
    neuron = "instance_type: trn1.32xlarge\n      verified: true\n"
    problem = only(tmp_path, "instance_type: m7i.large\n", neuron)
    assert problem.key.endswith("pools.cpu.verified")
    assert "the checks have not run on trn1.32xlarge" in problem.message
    (tmp_path / "Pulumi.good.yaml").write_text(
        GOOD.replace("instance_type: m7i.large\n", neuron.replace("true", "false"))
    )
    assert load(tmp_path / "Pulumi.good.yaml").pools["cpu"].instance.chips
