"""The job: named by what it tests, and told what its nodes are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components import smoke_test_pod
from components.settings import PoolConfig, SmokeTestConfig
from components.smoke_test_pod import checkpoint_access, job_name

from .test_datacenter import template

POOL: dict[str, Any] = {"instance_type": "m7i.large", "desired_size": 2}
TEST: dict[str, Any] = {"pool": "cpu"}


def name(pool: dict[str, Any] | None = None, test: dict[str, Any] | None = None, image: str = "a") -> str:
    return job_name(SmokeTestConfig(**{**TEST, **(test or {})}), PoolConfig(**{**POOL, **(pool or {})}), image)


def test_the_same_test_has_the_same_name() -> None:
    assert name() == name()


class LaterPool(PoolConfig):
    """As a later release may know it."""

    another: bool = False


class LaterTest(SmokeTestConfig):
    another: int | None = None


def test_a_release_that_knows_more_fields_tests_nothing_again_until_one_is_used() -> None:
    def later(**used: Any) -> str:
        return job_name(LaterTest(**TEST), LaterPool(**POOL, **used), "a")

    assert later() == name()
    assert later(another=True) != name()


def test_a_default_that_is_written_out_is_no_other_pool() -> None:
    whole = PoolConfig(**POOL).model_dump(), SmokeTestConfig(**TEST).model_dump()
    assert name(*whole) == name()


@pytest.mark.parametrize(
    "change",
    [{"pool": {"desired_size": 3}}, {"pool": {"instance_type": "c7i.large"}}, {"test": {"steps": 9}}, {"image": "b"}],
)
def test_another_pool_image_or_configuration_is_another_job(change: dict[str, Any]) -> None:
    assert name(**change) != name()


def test_the_pod_is_told_its_catalogue_row_and_where_to_write() -> None:
    environment = {entry["name"]: entry.get("value") for entry in template("prod")["containers"][0]["env"]}
    row = json.loads(environment["ACCELERATOR"] or "")
    train = json.loads(environment["TRAIN_CONFIG"] or "")
    assert (row["instance_type"], row["chips"], row["chip"]["name"]) == ("p5en.48xlarge", 8, "H200")
    assert train["verdict_uri"].startswith("s3://")
    assert train["verdict_uri"].endswith("/verdict.json")
    assert train["checks"] == "auto"
    assert environment["JAX_NUM_PROCESSES"] == "2"


def test_the_pod_has_no_kubernetes_token_and_a_node_of_its_own() -> None:
    pod = template("local")
    assert pod["automountServiceAccountToken"] is False
    assert pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]


def environment(instance_type: str, nodes: int, **test: Any) -> dict[str, Any]:
    pool, config = PoolConfig(instance_type=instance_type, desired_size=nodes), SmokeTestConfig(**TEST, **test)
    pod = smoke_test_pod.template(config, pool, "job", "smoke-test", "train", image="i", bucket="b")
    (container,) = pod["spec"]["containers"]
    return {entry["name"]: entry.get("value", entry.get("value_from")) for entry in container["env"]}


def test_nodes_with_trainium_are_told_of_each_other_as_its_plugin_asks() -> None:
    found = environment("trn2.48xlarge", 2)
    assert found["NEURON_PJRT_PROCESSES_NUM_DEVICES"] == "64,64"
    assert found["NEURON_RT_ROOT_COMM_ID"] == "job-0.smoke-test.smoke-test.svc:62182"
    path = found["NEURON_PJRT_PROCESS_INDEX"]["field_ref"]["field_path"]
    assert path == "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    for other in (environment("trn2.48xlarge", 1), environment("p5.48xlarge", 2)):
        assert not [name for name in other if name.startswith("NEURON")]


def test_the_job_is_told_what_to_tolerate_where_the_stack_file_says_it() -> None:
    told = json.loads(environment("p5.48xlarge", 2, tolerated_percent=7)["TRAIN_CONFIG"])
    assert told["tolerated_slowness"] == 0.07
    assert "tolerated_slowness" not in json.loads(environment("p5.48xlarge", 2)["TRAIN_CONFIG"])


def test_the_job_is_told_of_the_adapters_that_its_pods_get() -> None:
    pool = PoolConfig(instance_type="p5.48xlarge", desired_size=2, efa_interfaces=4)
    pod = smoke_test_pod.template(SmokeTestConfig(**TEST), pool, "job", "n", "a", image="i", bucket="b")
    (container,) = pod["spec"]["containers"]
    (row,) = [json.loads(one["value"]) for one in container["env"] if one["name"] == "ACCELERATOR"]
    assert row["efa_interfaces"] == int(container["resources"]["limits"]["vpc.amazonaws.com/efa"]) == 4


@pytest.mark.parametrize(("instance_type", "asks"), [("m7i.48xlarge", False), ("p5.48xlarge", True)])
def test_huge_pages_are_asked_for_where_the_image_of_the_nodes_reserves_them(instance_type: str, asks: bool) -> None:
    pool = PoolConfig(instance_type=instance_type, desired_size=2)
    assert pool.adapters
    pod = smoke_test_pod.template(SmokeTestConfig(**TEST), pool, "job", "n", "a", image="i", bucket="b")
    (container,) = pod["spec"]["containers"]
    assert ("hugepages-2Mi" in container["resources"]["limits"]) is asks


def test_what_takes_minutes_to_compile_is_no_hang() -> None:
    limits = [
        json.loads(environment(name, 1)["TRAIN_CONFIG"]).get("step_timeout_s")
        for name in ("trn1.32xlarge", "p5.48xlarge")
    ]
    assert limits == [600, None]


def test_the_role_reaches_only_the_test_s_own_prefix() -> None:
    statements = checkpoint_access("arn:aws:s3:::b", "arn:key")["Statement"]
    assert statements[0]["Resource"] == "arn:aws:s3:::b/smoke-test/*"
    assert not any(statement["Resource"] == "*" for statement in statements)
