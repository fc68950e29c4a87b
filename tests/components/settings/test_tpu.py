"""What a stack file may say of TPU slices; each refusal has its place, its reason and what may stand there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from components.config import checks, load
from components.config.problems import Problems
from components.config.stack_file import Document
from components.rules import conflicts
from components.settings import StackConfig, TpuPoolConfig
from tests.components.stack_files import GOOD, problems
from tests.components.tpu_strategies import tpus

POOL: dict[str, Any] = {"machine_type": "ct6e-standard-4t", "topology": "4x4", "zone": "us-east5-b"}
TPU: dict[str, Any] = {"project": "my-project", "region": "us-east5", "pools": {"slices": POOL}}


@pytest.fixture
def stack(tmp_path: Path) -> StackConfig:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(GOOD)
    return load(file)


def told(stack: StackConfig, pool: dict[str, Any] | None = None, **tpu: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    pools = {"slices": {**POOL, **(pool or {})}}
    values = stack.model_dump(mode="json", by_alias=True) | {"tpu": {**TPU, "pools": pools, **tpu}}
    found = conflicts(checks.stack(values, Problems(Path("Pulumi.test.yaml"), Document(values={"config": {}}))))
    return [(".".join(map(str, one.key)).removeprefix("tpu."), one.message, one.allowed) for one in found]


def test_a_pool_of_slices_is_as_many_machines_as_they_take(stack: StackConfig) -> None:
    assert told(stack) == []
    pool = TpuPoolConfig(**POOL, slices=3)
    assert (pool.slice.chips, pool.slice.hosts, pool.hosts, pool.scales) == (16, 4, 12, False)


def test_a_topology_that_no_machine_makes_is_refused_with_the_nearest(tmp_path: Path) -> None:
    tpu = {**TPU, "pools": {"aa": {**POOL, "topology": "4x5"}}}
    text = f"{GOOD}  ai-datacenter:tpu: {json.dumps(tpu)}\n"
    (problem,) = problems(tmp_path, text)
    assert problem.key == "ai-datacenter:tpu.pools.aa.topology"
    assert "makes no slice of 4x5, and no other machine type does" in problem.message
    assert problem.allowed[0] == "4x4"
    assert problem.line == len(text.splitlines())


@pytest.mark.parametrize(
    ("pool", "tpu", "key", "reason"),
    [
        ({"topology": "2x2x4"}, {}, "pools.slices.topology", "ct5p-hightpu-4t, tpu7x-standard-4t make it"),
        ({"zone": "us-east5-d"}, {}, "pools.slices.zone", "us-east5-d has no TPU v6e"),
        ({"zone": "us-east1-d"}, {}, "pools.slices.zone", "is not in tpu.region us-east5"),
        ({"capacity": "reservation"}, {}, "pools.slices.capacity", "needs the reservation's name"),
        ({"capacity": "spot", "reservation": "mine"}, {}, "pools.slices.reservation", "spot nodes use no reservation"),
        ({"capacity": "spot", "queued": True}, {}, "pools.slices.queued", "neither spot nor reserved"),
        ({"verified": True}, {}, "pools.slices.verified", "a slice of 4 machines cannot be checked one by one"),
        (
            {"machine_type": "ct6e-standard-8t", "topology": "2x4", "autoscaled": True, "verified": True},
            {},
            "pools.slices.verified",
            "GKE's autoscaler would start none",
        ),
        (
            {"labels": {"ai-datacenter/unverified": "x"}},
            {},
            "pools.slices.labels.ai-datacenter/unverified",
            "say verified: true",
        ),
        ({}, {"services_cidr": "10.128.0.0/24"}, "services_cidr", "overlap"),
        ({}, {"nodes_cidr": "11.0.0.0/20"}, "nodes_cidr", "must be within"),
        (
            {"slices": 2},
            {"nodes_cidr": "10.128.0.0/29"},
            "nodes_cidr",
            "addresses for 4 nodes, and the pools take up to 11",
        ),
        ({"slices": 2}, {"pods_cidr": "10.132.0.0/24"}, "pods_cidr", "the pods of 4 nodes"),
        ({}, {"smoke_test": {"pool": "slice"}}, "smoke_test.pool", "there is no TPU pool slice"),
        ({"queued": True}, {"smoke_test": {"pool": "slices"}}, "smoke_test.pool", "which the test's job does not make"),
        (
            {"capacity": "flex_start"},
            {"smoke_test": {"pool": "slices", "timeout_s": 600}},
            "smoke_test.pool",
            "would fail after 600 s without one",
        ),
    ],
)
def test_what_google_would_refuse_is_refused_here(
    stack: StackConfig, pool: dict[str, Any], tpu: dict[str, Any], key: str, reason: str
) -> None:
    ((place, message, _),) = told(stack, pool, **tpu)
    assert (place, reason in message) == (key, True), message


def test_a_zone_of_chips_that_nobody_publishes_is_not_refused(stack: StackConfig) -> None:
    ironwood = {"machine_type": "tpu7x-standard-4t", "topology": "4x4x4", "zone": "us-east5-f"}
    assert told(stack, ironwood) == []


@settings(max_examples=25, deadline=None)
@given(tpu=tpus())
def test_a_generated_section_is_valid(tpu: dict[str, Any]) -> None:
    values = {
        "aws": {"region": "us-east-1", "allowedAccountIds": ["123456789012"]},
        "name": "aidc-test",
        "network": {"cidr": "10.0.0.0/16"},
        "pools": {"cpu": {"instance_type": "m7i.large", "desired_size": 2}},
        "smoke_test": {"pool": "cpu"},
        "tpu": tpu,
    }
    assert list(conflicts(StackConfig.model_validate(values))) == []
