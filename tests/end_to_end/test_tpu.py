"""A data centre with a TPU slice on one machine: a second real cluster, whose nodes train on CPUs.

The tests build on one another, in order.
"""

from __future__ import annotations

from typing import Any

import pytest

from local import control_plane, node_agent
from local.kube_api import KubeApi
from tests.end_to_end.conftest import Checkout

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

TPU = """  ai-datacenter:tpu:
    project: my-project
    region: us-east5
    system_nodes: 1
    pools:
      v6e: { machine_type: ct6e-standard-4t, topology: 2x4, zone: us-east5-b }
    smoke_test: { pool: v6e, steps: 20, timeout_s: 300 }
"""


def gke(checkout: Checkout) -> control_plane.ControlPlane:
    (plane,) = (one for one in control_plane.clusters(checkout.root) if one.region == "us-east5")
    return plane


def api(checkout: Checkout) -> KubeApi:
    return gke(checkout).api()


def changed(data: dict[str, Any]) -> dict[str, int]:
    return {op: number for op, number in data["changes"].items() if number and op != "same"}


def test_up_makes_a_second_cluster_with_the_slice_and_trains_on_it(checkout: Checkout) -> None:
    checkout.stack_file.write_text(checkout.stack_file.read_text() + TPU)
    data, told = checkout.aidc("up")
    assert data["passed"], told
    assert [(one["verdict"]["passed"], one["is_new"]) for one in data["slices"]] == [(True, True)]
    assert data["fidelity"]["typed only"] == 11
    nodes = {node["metadata"]["name"]: node for node in api(checkout).get("/api/v1/nodes")["items"]}
    assert set(nodes) == {"system-0", "v6e-0-0", "v6e-0-1"}
    labels = nodes["v6e-0-1"]["metadata"]["labels"]
    assert labels["cloud.google.com/gke-tpu-accelerator"] == "tpu-v6e-slice"
    assert labels["cloud.google.com/gke-tpu-topology"] == "2x4"
    assert labels["topology.kubernetes.io/region"] == "us-east5"
    assert not [label for label in labels if label.startswith("eks.")]
    assert nodes["v6e-0-1"]["spec"]["taints"] == [{"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"}]


def test_a_process_of_the_job_has_run_on_each_machine_of_the_slice_and_the_verdict_says_that_it_was_no_tpu(
    checkout: Checkout,
) -> None:
    pods = api(checkout).get("/api/v1/namespaces/smoke-test/pods")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"v6e-0-0", "v6e-0-1"}
    assert {pod["status"]["phase"] for pod in pods} == {"Succeeded"}
    outputs, _ = checkout.aidc("status")
    assert outputs is not None
    key = f"smoke-test/slices/{pods[0]['metadata']['labels']['ai-datacenter/job']}/verdict.json"
    buckets = [one["Name"] for one in checkout.aws("s3").list_buckets()["Buckets"] if "-data-" in one["Name"]]
    verdict = checkout.aws("s3").get_object(Bucket=buckets[0], Key=key)["Body"].read().decode()
    assert '"passed":true' in verdict.replace(" ", "")
    assert '"emulated":true' in verdict.replace(" ", "")


def test_the_smoke_test_trains_on_the_slice_again(checkout: Checkout) -> None:
    before = checkout.aidc("status")[0]["slice_verdicts"]
    data, told = checkout.aidc("smoke-test")
    (again,) = data["slices"]
    assert (data["passed"], again["passed"]) == (True, True), told
    assert again["finished_at"] > before[0]["finished_at"]


def test_a_second_up_and_a_refresh_change_nothing(checkout: Checkout) -> None:
    data, told = checkout.aidc("up")
    assert changed(data) == {}, told
    data, told = checkout.aidc("refresh")
    assert changed(data) == {}, told


def test_a_node_that_died_is_drift_and_the_next_up_starts_it(checkout: Checkout) -> None:
    plane = gke(checkout)
    node_agent.stop(plane, "v6e-0-1")
    data, _ = checkout.aidc("refresh", code=5)
    assert changed(data) == {"update": 1}
    checkout.aidc("up")
    assert node_agent.running(plane, "v6e-0-1")


def test_destroy_leaves_nothing_of_it(checkout: Checkout) -> None:
    checkout.aidc("destroy")
    assert control_plane.clusters(checkout.root) == []
    assert not list((checkout.root.recorded / "gcp").glob("*/*.json"))
