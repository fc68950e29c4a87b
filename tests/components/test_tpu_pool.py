"""TPU slices as they are declared: whole slices, nothing open, no key of another cloud; and nothing for others."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.config import load_values
from components.datacenter import Datacenter, aws_provider
from components.outputs import DatacenterOutputs
from components.settings import UNVERIFIED, SmokeTestConfig, TpuPoolConfig
from components.smoke_test_pod import Buckets

from .mocks import Cloud, run
from .test_datacenter import ROOT

POOLS = {
    "v6e": {"machine_type": "ct6e-standard-4t", "topology": "4x4", "zone": "us-east5-b", "slices": 2},
    "one": {
        "machine_type": "ct6e-standard-8t", "topology": "2x4", "zone": "us-east5-b", "slices": 3, "autoscaled": True,
    },
    "sure": {
        "machine_type": "ct6e-standard-8t", "topology": "2x4", "zone": "us-east5-b", "slices": 2, "verified": True,
    },
    "v7x": {
        "machine_type": "tpu7x-standard-4t", "topology": "2x2x4", "zone": "us-east5-a", "capacity": "reservation",
        "reservation": "mine",
    },
    "flex": {
        "machine_type": "ct5p-hightpu-4t", "topology": "2x2x2", "zone": "us-east5-a", "capacity": "flex_start",
        "queued": True,
    },
}  # fmt: skip
VALUES: dict[str, Any] = {
    "aws:region": "us-east-1",
    "aws:allowedAccountIds": ["123456789012"],
    "ai-datacenter:name": "aidc-test",
    "ai-datacenter:network": {"cidr": "10.0.0.0/16"},
    "ai-datacenter:pools": {"cpu": {"instance_type": "m7i.large", "desired_size": 2}},
    "ai-datacenter:smoke_test": {"pool": "cpu"},
    "ai-datacenter:monitoring": {"instance_type": "m7i.large"},
    "ai-datacenter:tpu": {
        "project": "my-project", "region": "us-east5", "pools": POOLS, "smoke_test": {"pool": "v6e"},
    },
}  # fmt: skip


def declare() -> dict[str, Any]:
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in VALUES.items()}
    config = load_values(Path("Pulumi.nowhere.yaml"), texts)
    folders = {"workloads": ROOT / "workloads", "playbooks": ROOT / "playbooks"}
    return Datacenter(config, "test", aws_provider(config, "test"), **folders).outputs()


@cache
def program() -> tuple[Cloud, dict[str, Any]]:
    return run(declare, stack="test")


def of(kind: str) -> dict[str, dict[str, Any]]:
    return program()[0].of(kind)


def node_pool(name: str) -> dict[str, Any]:
    return of("gcp:container/nodePool:NodePool")[name]


def jobs() -> list[dict[str, Any]]:
    found = of("kubernetes:batch/v1:Job")
    return [job for name, job in sorted(found.items()) if name.startswith("tpu-")]


def test_a_slice_of_several_machines_is_a_node_pool_of_its_own_placed_by_its_topology() -> None:
    for index in range(2):
        pool = node_pool(f"tpu-pool-v6e-{index}")
        assert (pool["name"], pool["nodeCount"], pool["nodeLocations"]) == (f"v6e-{index}", 4, ["us-east5-b"])
        assert pool["placementPolicy"] == {"type": "COMPACT", "tpuTopology": "4x4"}
        assert pool["upgradeSettings"] == {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}
    assert len(of("gcp:container/nodePool:NodePool")) == 7  # two, and one of each other; and those without chips


def test_slices_of_one_machine_are_one_node_pool_that_grows_by_whole_slices() -> None:
    pool = node_pool("tpu-pool-one-0")
    assert pool["autoscaling"] == {"totalMinNodeCount": 0, "totalMaxNodeCount": 3, "locationPolicy": "ANY"}
    assert pool["initialNodeCount"] == 0
    assert not {"nodeCount", "placementPolicy"} & pool.keys()


def test_tpu7x_is_placed_by_a_workload_policy_and_uses_the_reservation_it_names() -> None:
    (policy,) = of("gcp:compute/resourcePolicy:ResourcePolicy").values()
    pool = node_pool("tpu-pool-v7x-0")
    assert policy["workloadPolicy"] == {"type": "HIGH_THROUGHPUT", "acceleratorTopology": "2x2x4"}
    assert pool["placementPolicy"] == {"type": "COMPACT", "policyName": policy["name"]}
    affinity = pool["nodeConfig"]["reservationAffinity"]
    assert (affinity["consumeReservationType"], affinity["values"]) == ("SPECIFIC_RESERVATION", ["mine"])


def test_what_comes_by_request_is_never_counted_on_nor_repaired_in_place() -> None:
    pool = node_pool("tpu-pool-flex-0")
    assert pool["queuedProvisioning"] == {"enabled": True}
    assert pool["management"]["autoRepair"] is False
    assert pool["autoscaling"]["totalMaxNodeCount"] == 2
    assert pool["nodeConfig"]["flexStart"] is True
    assert pool["nodeConfig"]["reservationAffinity"] == {"consumeReservationType": "NO_RESERVATION"}
    assert "nodeCount" not in pool


def test_every_node_is_shielded_keeps_others_from_its_chips_and_is_nobody_s_default_account() -> None:
    for name, pool in of("gcp:container/nodePool:NodePool").items():
        config = pool["nodeConfig"]
        assert config["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
        assert config["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
        assert config["serviceAccount"]
        if name.startswith("tpu-") and "sure" not in name:
            assert config["taints"] == [{"key": "google.com/tpu", "value": "present", "effect": "NO_SCHEDULE"}]


def test_the_cluster_has_no_address_of_its_own_and_no_public_node() -> None:
    (cluster,) = of("gcp:container/cluster:Cluster").values()
    assert cluster["controlPlaneEndpointsConfig"]["ipEndpointsConfig"] == {"enabled": False}
    assert cluster["privateClusterConfig"] == {"enablePrivateNodes": True}
    assert cluster["workloadIdentityConfig"] == {"workloadPool": "my-project.svc.id.goog"}
    assert cluster["deletionProtection"] is True
    kubeconfig = json.loads(program()[1]["tpu"]["kubeconfig"])
    assert kubeconfig["users"][0]["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert "token" not in json.dumps(kubeconfig["users"][0]["user"]).lower()


def test_a_slice_that_is_to_be_checked_comes_with_taint_and_label_and_its_check_takes_all_its_chips() -> None:
    config = node_pool("tpu-pool-sure-0")["nodeConfig"]
    assert {one["key"]: one["effect"] for one in config["taints"]} == {
        "google.com/tpu": "NO_SCHEDULE", UNVERIFIED: "NO_SCHEDULE"
    }  # fmt: skip
    assert config["labels"] == {"ai-datacenter/pool": "sure", UNVERIFIED: "true"}
    ((name, check),) = of("kubernetes:apps/v1:DaemonSet").items()
    spec = check["spec"]["template"]["spec"]
    assert name == "tpu-node-verification-sure"
    assert spec["nodeSelector"] == {
        "ai-datacenter/pool": "sure", UNVERIFIED: "true",
        "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice", "cloud.google.com/gke-tpu-topology": "2x4",
    }  # fmt: skip
    assert {one["key"] for one in spec["tolerations"]} == {"google.com/tpu", UNVERIFIED}
    (container,) = spec["containers"]
    assert container["resources"]["limits"] == {"google.com/tpu": "8"}
    assert container["image"].startswith("us-east5-docker.pkg.dev/my-project/")


def test_the_check_of_a_slice_reaches_the_cluster_s_api_server_and_no_other() -> None:
    allowed = of("kubernetes:networking.k8s.io/v1:NetworkPolicy")["tpu-node-verification-allowed"]["spec"]
    (egress,) = allowed["egress"]
    assert [one["ipBlock"]["cidr"] for one in egress["to"]] == ["10.129.0.1/32", "10.128.0.0/20"]


def test_each_slice_has_a_job_with_a_process_for_each_machine_and_all_its_chips() -> None:
    assert len(jobs()) == 2
    for index, job in enumerate(jobs()):
        spec = job["spec"]["template"]["spec"]
        assert job["spec"]["completions"] == job["spec"]["parallelism"] == 4
        assert spec["nodeSelector"] == {
            "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
            "cloud.google.com/gke-tpu-topology": "4x4",
            "cloud.google.com/gke-nodepool": f"v6e-{index}",
        }
        (container,) = spec["containers"]
        assert container["resources"]["limits"] == {"google.com/tpu": "4"}
        assert container["image"].startswith("us-east5-docker.pkg.dev/my-project/aidc-test/train:")
    assert len({job["metadata"]["name"] for job in jobs()}) == 2


def test_pods_have_no_key_of_aws_which_trusts_that_one_service_account_s_tokens() -> None:
    (provider,) = (
        one for name, one in of("aws:iam/openIdConnectProvider:OpenIdConnectProvider").items() if "tpu" in name
    )
    assert provider["url"].endswith("/v1/projects/my-project/locations/us-east5/clusters/aidc-test")
    (statement,) = json.loads(of("aws:iam/role:Role")["tpu-smoke-test-role"]["assumeRolePolicy"])["Statement"]
    claims = statement["Condition"]["StringEquals"]
    assert sorted(claims.values()) == ["sts.amazonaws.com", "system:serviceaccount:smoke-test:train"]
    spec = jobs()[0]["spec"]["template"]["spec"]
    assert spec["volumes"][1]["projected"]["sources"][0]["serviceAccountToken"]["audience"] == "sts.amazonaws.com"
    names = {variable["name"] for variable in spec["containers"][0]["env"]}
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} & names


def test_pods_meet_the_strictest_standard_that_their_namespace_demands() -> None:
    labels = of("kubernetes:core/v1:Namespace")["tpu-smoke-test-namespace"]["metadata"]["labels"]
    assert set(labels.values()) == {"restricted"}
    for job in jobs():
        spec = job["spec"]["template"]["spec"]
        assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert all(volume.keys() <= {"name", "emptyDir", "projected"} for volume in spec["volumes"])
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }


def test_pods_of_a_slice_reach_each_other_names_and_aws_but_nothing_else_of_the_network_nor_its_metadata() -> None:
    policies = of("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    denied, allowed = (policies[f"tpu-smoke-test-{label}"]["spec"] for label in ("default-deny", "allowed"))
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labels = jobs()[0]["spec"]["template"]["metadata"]["labels"]
    assert allowed["podSelector"]["matchLabels"].items() <= labels.items()
    own = {"podSelector": allowed["podSelector"]}
    assert allowed["ingress"] == [{"from": [own]}]
    among, names, aws = allowed["egress"]
    assert among == {"to": [own]}
    assert [peer["podSelector"]["matchLabels"]["k8s-app"] for peer in names["to"]] == ["kube-dns", "node-local-dns"]
    (block,) = (peer["ipBlock"] for peer in aws["to"])
    assert block == {
        "cidr": "0.0.0.0/0",
        "except": ["10.128.0.0/20", "10.132.0.0/14", "10.129.0.0/20", "169.254.0.0/16"],
    }
    assert aws["ports"] == [{"protocol": "TCP", "port": 443}]


def test_neither_cloud_s_pods_can_write_what_the_other_s_have_proved() -> None:
    policies = of("aws:iam/rolePolicy:RolePolicy")
    slices, nodes = (json.loads(policies[f"{name}-policy"]["policy"]) for name in ("tpu-smoke-test", "smoke-test"))
    objects = [
        {one["Resource"].partition("/")[2] for one in policy["Statement"] if "s3:PutObject" in one["Action"]}
        for policy in (slices, nodes)
    ]
    assert objects == [
        {"smoke-test/slices/*", "smoke-test/slices/*/verdict.json"},
        {"smoke-test/nodes/*", "smoke-test/nodes/*/verdict.json"},
    ]
    for policy in (slices, nodes):
        (key,) = (one for one in policy["Statement"] if "kms:Decrypt" in one["Action"])
        assert key["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    for job in jobs():
        environment = {one["name"]: one.get("value") for one in job["spec"]["template"]["spec"]["containers"][0]["env"]}
        told, name = json.loads(environment["TRAIN_CONFIG"]), job["metadata"]["name"]
        assert told["checkpoint_uri"].endswith(f"/smoke-test/slices/{name}/")
        assert told["verdict_uri"].endswith(f"/smoke-test/slices/{name}/verdict.json")
        assert (told["resume"], told["startup_timeout_s"]) == (False, 900)


def test_the_verdicts_that_are_looked_for_are_those_of_all_jobs() -> None:
    associations = of("aws:ssm/association:Association")
    told = associations["monitoring-association"]["parameters"]["ExtraVariables"].split()
    (keys,) = (one.partition("=")[2] for one in told if one.startswith("prometheus_verdict_keys="))
    named = {name: job["metadata"]["name"] for name, job in of("kubernetes:batch/v1:Job").items()}
    assert keys.split(",") == [
        f"smoke-test/nodes/{named['smoke-test-job']}/verdict.json",
        *(f"smoke-test/slices/{named[f'tpu-smoke-test-job-{index}']}/verdict.json" for index in range(2)),
    ]


def test_the_jobs_have_the_names_by_which_verdicts_are_told_apart() -> None:
    assert set(of("kubernetes:batch/v1:Job")) == {"smoke-test-job", "tpu-smoke-test-job-0", "tpu-smoke-test-job-1"}


def test_the_outputs_fit_the_model() -> None:
    tpu = DatacenterOutputs.model_validate(program()[1]).tpu
    assert tpu is not None
    assert [(pool.name, pool.slices, pool.nodes) for pool in tpu.pools] == [
        ("v6e", 2, 8), ("one", 3, 3), ("sure", 2, 2), ("v7x", 1, 4), ("flex", 1, 2),
    ]  # fmt: skip
    assert [test.verdict is not None for test in tpu.smoke_tests] == [True, True]


def test_one_more_slice_tests_no_other_slice_again_and_another_image_tests_all() -> None:
    from components.tpu_smoke_test_pod import job_name

    test, pool = SmokeTestConfig(pool="v6e"), TpuPoolConfig.model_validate(POOLS["v6e"])
    more = pool.model_copy(update={"slices": 3})
    assert job_name(test, pool, 0, "image:1") == job_name(test, more, 0, "image:1")
    assert job_name(test, pool, 0, "image:1") != job_name(test, pool, 0, "image:2")


def test_a_release_that_knows_more_fields_tests_no_slice_again() -> None:
    from components.tpu_smoke_test_pod import job_name

    class LaterPool(TpuPoolConfig):
        another: bool = False

    test, pools = (
        SmokeTestConfig(pool="v6e"),
        [kind.model_validate(POOLS["v6e"]) for kind in (TpuPoolConfig, LaterPool)],
    )
    assert len({job_name(test, pool, 0, "image:1") for pool in pools}) == 1


def test_a_slice_s_job_is_told_what_to_tolerate() -> None:
    from components.tpu_smoke_test_pod import template

    test, pool = SmokeTestConfig(pool="v6e", tolerated_percent=2.5), TpuPoolConfig.model_validate(POOLS["v6e"])
    where = {"account": "a", "namespace": "n", "image": "i", "role_arn": "r", "region": "us-east-1"}
    (container,) = template(test, pool, "job", "node-pool", buckets=Buckets("c", "v"), **where)["spec"]["containers"]
    (told,) = [json.loads(one["value"]) for one in container["env"] if one["name"] == "TRAIN_CONFIG"]
    assert told["tolerated_slowness"] == 0.025


def test_without_its_package_the_section_is_told_with_what_to_install_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pulumi_gcp", None)
    config: Any = SimpleNamespace(tpu=object())  # whoever registers a resource first would look at more of it
    provider: Any = None
    with pytest.raises(pulumi.RunError, match=r"section tpu .*pip install --group tpu"):
        Datacenter(config, "test", provider, workloads=ROOT, playbooks=ROOT)


def test_no_stack_without_tpus_imports_google_s_package() -> None:
    code = "import sys, components.datacenter, components.config; sys.exit('pulumi_gcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
