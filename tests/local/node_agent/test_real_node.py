"""Process nodes under a real control plane: needs its built binaries."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import node_agent
from local.control_plane import ControlPlane, by_endpoint, ensure
from local.kube_api import MERGE_PATCH
from local.node_agent import NodeSpec
from local.paths import DataRoot, LocalCloudError
from local.processes import ProcessRecord, alive, family, running, stop

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ai/train:abc"
PODS = "/api/v1/namespaces/default/pods"
JOBS = "/apis/batch/v1/namespaces/default/jobs"


def spec(number: int) -> NodeSpec:
    return NodeSpec(f"pool-{number}", "pool", "c7i.xlarge", "eu-west-1a", 4, 8192, {"role": "test"})


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    plane = ensure(DataRoot(tmp_path_factory.mktemp("root")), "eu-west-1", "test")
    try:
        for number in (0, 1):
            node_agent.start(plane, spec(number))
        yield plane
    finally:
        plane.remove()


def wait_for(what: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def template(command: str, **more: Any) -> dict[str, Any]:
    container = {"name": "main", "image": IMAGE, "command": ["sh", "-c", command]}
    return {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container], **more}


def run_pod(plane: ControlPlane, name: str, command: str, node: int = 0, **more: Any) -> None:
    body = {"metadata": {"name": name}, "spec": template(command, nodeName=f"pool-{node}", **more)}
    plane.api().create(PODS, {"apiVersion": "v1", "kind": "Pod", **body})


def in_phase(plane: ControlPlane, name: str, phase: str) -> Callable[[], Any]:
    def look() -> dict[str, Any] | None:
        pod = plane.api().get(f"{PODS}/{name}")
        return pod if pod["status"]["phase"] == phase else None

    return look


def test_nodes_are_ready_with_their_labels_and_declared_size(plane: ControlPlane) -> None:
    node = plane.api().get("/api/v1/nodes/pool-0")
    assert node["status"]["capacity"]["cpu"] == "4"
    assert node["metadata"]["labels"]["eks.amazonaws.com/nodegroup"] == "pool"
    assert [each.name for each in node_agent.list_nodes(plane, "pool")] == ["pool-0", "pool-1"]


def test_an_indexed_job_of_two_completes_on_two_nodes(plane: ControlPlane) -> None:
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
              "labelSelector": {"matchLabels": {"app": "two"}}}  # fmt: skip
    pods = {"metadata": {"labels": {"app": "two"}}, "spec": template("true", topologySpreadConstraints=[spread])}
    body = {"completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimit": 0, "template": pods}
    plane.api().create(JOBS, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "two"}, "spec": body})
    wait_for(lambda: plane.api().get(f"{JOBS}/two")["status"].get("succeeded") == 2)
    items = plane.api().get(PODS, labelSelector="app=two")["items"]
    assert {pod["spec"]["nodeName"] for pod in items} == {"pool-0", "pool-1"}


def test_a_failing_command_reports_its_exit_code_and_its_reason(plane: ControlPlane) -> None:
    run_pod(plane, "fails", "echo no fabric > $TERMINATION_LOG; exit 3")
    ended = wait_for(in_phase(plane, "fails", "Failed"))["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["message"]) == (3, "no fabric\n")


def test_a_foreign_image_waits_and_says_why(plane: ControlPlane) -> None:
    container = {"name": "main", "image": "nginx:1"}
    run_pod(plane, "foreign", "", containers=[container])
    statuses = wait_for(lambda: plane.api().get(f"{PODS}/foreign")["status"].get("containerStatuses"))
    assert statuses[0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
    plane.api().delete(f"{PODS}/foreign")
    wait_for(lambda: plane.api().find(f"{PODS}/foreign") is None)


def test_a_deleted_pod_that_ignores_term_is_killed_with_its_children_after_its_grace(plane: ControlPlane) -> None:
    run_pod(plane, "stubborn", "trap '' TERM; setsid sleep 300 & while :; do sleep 0.1; done")
    pod = wait_for(in_phase(plane, "stubborn", "Running"))
    folder = plane.nodes_folder / "pool-0" / "pods" / f"default_stubborn_{pod['metadata']['uid']}"
    shim = running(folder / "main" / "0" / "shim.process.json")
    assert shim is not None
    members = wait_for(lambda: members if len(members := family(shim)) >= 3 else None)
    plane.api().delete(f"{PODS}/stubborn", grace_s=1)
    wait_for(lambda: plane.api().find(f"{PODS}/stubborn") is None)
    assert not any(map(alive, members))
    assert not folder.exists()


def test_pods_survive_their_agents_death_and_the_next_agent_reports_their_end(plane: ControlPlane) -> None:
    run_pod(plane, "survivor", "sleep 2; exit 5", node=1)
    wait_for(in_phase(plane, "survivor", "Running"))
    record = ProcessRecord.read(plane.nodes_folder / "pool-1" / "agent.process.json")
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    wait_for(lambda: not node_agent.running(plane, "pool-1"))
    time.sleep(2.0)  # its command ends while nobody looks
    assert node_agent.start(plane, spec(1)) != record.pid
    status = wait_for(in_phase(plane, "survivor", "Failed"))["status"]["containerStatuses"][0]
    assert (status["state"]["terminated"]["exitCode"], status["restartCount"]) == (5, 0)


def test_a_killed_etcd_comes_back_with_its_data(plane: ControlPlane) -> None:
    api_server = running(plane.folder / "kube-apiserver.process.json")
    record = running(plane.folder / "etcd.process.json")
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    wait_for(lambda: plane.missing() == ["etcd"])
    root = DataRoot(plane.folder.parent.parent)
    assert ensure(root, "eu-west-1", "test").running()
    assert running(plane.folder / "kube-apiserver.process.json") == api_server
    assert plane.api().get("/api/v1/nodes/pool-0")["metadata"]["name"] == "pool-0"


def test_a_cluster_is_found_by_its_endpoint(plane: ControlPlane) -> None:
    root = DataRoot(plane.folder.parent.parent)
    assert by_endpoint(root, plane.endpoint) == plane
    assert by_endpoint(root, "https://127.0.0.1:1") is None


def test_a_label_that_is_dropped_goes_and_one_that_somebody_else_gave_stays(plane: ControlPlane) -> None:
    changing = NodeSpec("changing-0", "changing", "c7i.large", "eu-west-1a", 2, 4096, {"kept": "yes", "dropped": "yes"})
    path = "/api/v1/nodes/changing-0"
    node_agent.start(plane, changing)
    plane.api().patch(path, {"metadata": {"labels": {"mine": "yes"}}}, MERGE_PATCH)
    node_agent.start(plane, replace(changing, labels={"kept": "yes"}))
    wait_for(lambda: "dropped" not in plane.api().get(path)["metadata"]["labels"])
    labels = plane.api().get(path)["metadata"]["labels"]
    assert labels["kept"] == labels["mine"] == "yes"
    node_agent.stop(plane, "changing-0")


def test_a_stopped_node_leaves_no_object_process_or_file(plane: ControlPlane) -> None:
    node_agent.start(plane, NodeSpec("gone-0", "gone", "c7i.large", "eu-west-1a", 2, 4096))
    record = ProcessRecord.read(plane.nodes_folder / "gone-0" / "agent.process.json")
    assert record is not None
    node_agent.stop(plane, "gone-0")
    assert not alive(record)
    assert plane.api().find("/api/v1/nodes/gone-0") is None
    assert not (plane.nodes_folder / "gone-0").exists()


def test_a_stranger_on_the_port_is_named_and_removal_leaves_nothing(plane: ControlPlane) -> None:
    records = [record for path in plane.folder.rglob("*.process.json") if (record := ProcessRecord.read(path))]
    api_server = running(plane.folder / "kube-apiserver.process.json")
    assert api_server is not None
    stop(api_server)
    refused = pytest.raises(LocalCloudError, match=rf"Port {plane.place.port} .*process {os.getpid()}")
    with socket.create_server(("127.0.0.1", plane.place.port)), refused:
        ensure(DataRoot(plane.folder.parent.parent), "eu-west-1", "test")
    plane.remove()
    assert not any(map(alive, records))
    assert not plane.folder.exists()
    assert not Path(plane.folder.parent / f".{plane.folder.name}.lock").exists()
