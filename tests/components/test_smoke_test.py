"""The job: named by what it tests, and told what its nodes are."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pytest

from components import node_group, smoke_test_pod
from components.releases import AMI_RELEASES
from components.settings import PoolConfig, SmokeTestConfig
from components.smoke_test_pod import Buckets, bucket_access, job_name, train_config
from components.training_job import JobArgs, create_job

from .mocks import Cloud, run
from .test_datacenter import BUCKET, program, template

POOL: dict[str, Any] = {"instance_type": "m7i.large", "desired_size": 2}
TEST: dict[str, Any] = {"pool": "cpu"}
VERSION = "1.34"


def name(pool: dict[str, Any] | None = None, test: dict[str, Any] | None = None, image: str = "a") -> str:
    return job_name(SmokeTestConfig(**{**TEST, **(test or {})}), PoolConfig(**{**POOL, **(pool or {})}), image, VERSION)


def test_the_same_test_has_the_same_name() -> None:
    assert name() == name()


class LaterPool(PoolConfig):
    """As a later release may know it."""

    another: bool = False


class LaterTest(SmokeTestConfig):
    another: int | None = None


def test_a_release_that_knows_more_fields_tests_nothing_again_until_one_is_used() -> None:
    def later(**used: Any) -> str:
        return job_name(LaterTest(**TEST), LaterPool(**POOL, **used), "a", VERSION)

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


def test_other_nodes_are_tested_again_whatever_makes_them_others(monkeypatch: pytest.MonkeyPatch) -> None:
    test, pool, before = SmokeTestConfig(**TEST), PoolConfig(**POOL), name()
    pinned = {VERSION: AMI_RELEASES[VERSION], "1.35": AMI_RELEASES[VERSION]}
    monkeypatch.setattr(node_group, "AMI_RELEASES", pinned)
    assert job_name(test, pool, "a", "1.35") != before  # of the same AMI even
    assert name() == before
    pinned[VERSION] = "1.34.9-20270101"
    assert name() != before


def test_the_attempt_after_a_failed_one_proves_every_step_itself() -> None:
    told = train_config(SmokeTestConfig(**TEST), "job", Buckets("checkpoints", "data"))
    assert told["resume"] is False


@pytest.mark.parametrize(("timeout_s", "startup_s"), [(1800, 900), (86_400, 43_200), (200, 120), (60, 120)])
def test_processes_that_start_far_apart_have_half_of_the_test_s_time_to_find_each_other(
    timeout_s: int, startup_s: int
) -> None:
    test = SmokeTestConfig(**TEST, timeout_s=timeout_s)
    assert train_config(test, "job", Buckets("checkpoints", "data"))["startup_timeout_s"] == startup_s


def test_when_nodes_come_and_go_is_no_reason_to_test_them_again() -> None:
    block = {"instance_type": "p5.48xlarge", "capacity": "capacity_block", "zone": "us-east-1a"}
    block |= {"capacity_reservation_id": "cr-0123456789abcdef0", "desired_size": 2}
    calendars = ({}, {"calendar": {"end": "2026-12-15T11:30:00Z"}})
    pools = [PoolConfig.model_validate(block | calendar) for calendar in calendars]
    assert len({job_name(SmokeTestConfig(**TEST), pool, "digest", "1.34") for pool in pools}) == 1


def test_a_verdict_that_is_gone_is_warned_of_and_keeps_no_other_change_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda text, *_: told.append(text))
    monkeypatch.setattr(Cloud, "has_verdicts", False)
    _, outputs = program.__wrapped__("local")  # not what other tests have kept of it
    assert outputs["smoke_test"]["verdict"] is None
    assert [re.sub(r"s3://\S+", "X", text).partition(":")[0] for text in told] == [
        "The verdict X is not there any more, so nobody knows it"
    ]


def test_the_verdict_is_where_nothing_expires() -> None:
    environment = {entry["name"]: entry.get("value") for entry in template("local")["containers"][0]["env"]}
    bucket = json.loads(environment["TRAIN_CONFIG"] or "")["verdict_uri"].split("/")[2]
    cloud = program("local")[0]
    (made,) = (key for key, one in cloud.of(BUCKET).items() if one["bucket"] == bucket)
    rules = cloud.of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    expiring = {key for key, one in rules.items() if any("expiration" in rule for rule in one["rules"])}
    assert any("checkpoints" in key for key in expiring)
    assert not any(key.startswith(made) for key in expiring)


def test_a_job_that_is_to_run_again_is_deleted_first_for_it_keeps_its_name() -> None:
    """Else the new one is found to be there already, and then the one that is there is deleted."""
    first: dict[str, bool | None] = {}

    def remember(args: pulumi.ResourceTransformationArgs) -> None:
        first[args.name] = args.opts.delete_before_replace

    def declare() -> None:
        job = JobArgs(job="j", labels={}, pods=1, timeout_s=60, template={})
        create_job("test-job", job, pulumi.ResourceOptions(transformations=[remember]))

    run(lambda: declare())  # type: ignore[func-returns-value]
    assert first == {"test-job": True}


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
    pod = smoke_test_pod.template(config, pool, "job", "smoke-test", "train", image="i", buckets=Buckets("c", "v"))
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
    pod = smoke_test_pod.template(SmokeTestConfig(**TEST), pool, "job", "n", "a", image="i", buckets=Buckets("c", "v"))
    (container,) = pod["spec"]["containers"]
    (row,) = [json.loads(one["value"]) for one in container["env"] if one["name"] == "ACCELERATOR"]
    assert row["efa_interfaces"] == int(container["resources"]["limits"]["vpc.amazonaws.com/efa"]) == 4


@pytest.mark.parametrize(("instance_type", "asks"), [("m7i.48xlarge", False), ("p5.48xlarge", True)])
def test_huge_pages_are_asked_for_where_the_image_of_the_nodes_reserves_them(instance_type: str, asks: bool) -> None:
    pool = PoolConfig(instance_type=instance_type, desired_size=2)
    assert pool.adapters
    pod = smoke_test_pod.template(SmokeTestConfig(**TEST), pool, "job", "n", "a", image="i", buckets=Buckets("c", "v"))
    (container,) = pod["spec"]["containers"]
    assert ("hugepages-2Mi" in container["resources"]["limits"]) is asks


def test_what_takes_minutes_to_compile_is_no_hang() -> None:
    limits = [
        json.loads(environment(name, 1)["TRAIN_CONFIG"]).get("step_timeout_s")
        for name in ("trn1.32xlarge", "p5.48xlarge")
    ]
    assert limits == [600, None]


def test_the_role_reaches_only_the_test_s_own_keys_and_the_key_only_through_s3() -> None:
    checkpoints, listing, verdicts, key = bucket_access("arn:c", "arn:v", "arn:key", "us-east-2")["Statement"]
    assert checkpoints["Resource"] == "arn:c/smoke-test/nodes/*"
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "smoke-test/nodes/*"}}
    assert (verdicts["Action"], verdicts["Resource"]) == ("s3:PutObject", "arn:v/smoke-test/nodes/*/verdict.json")
    assert key["Resource"] == "arn:key"
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-2.amazonaws.com"}}
