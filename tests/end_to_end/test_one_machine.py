"""The whole thing on one machine; checked against moto and the API server, not against the state.

The tests build on one another, in order: bringing a data centre up takes most of a minute.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import psutil
import pytest

from local import moto
from local.processes import wait_until
from tests.end_to_end.conftest import Checkout

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


def changed(data: dict[str, Any]) -> dict[str, int]:
    """What a run did, by operation, but for what it left alone."""
    return {op: number for op, number in data["changes"].items() if number and op != "same"}


def names(data: dict[str, Any], op: str) -> set[str]:
    """The resources that a preview would do ``op`` to."""
    return {step["urn"].rsplit("::", 1)[-1] for step in data["steps"] if step["op"] == op}


def test_up_makes_a_data_centre_that_trains(checkout: Checkout) -> None:
    data, told = checkout.aidc("up")
    assert data["passed"], told
    assert data["verdict"]["loss_last"] < data["verdict"]["loss_first"]
    nodes = checkout.kubernetes().get("/api/v1/nodes")["items"]
    ready = [n for n in nodes for c in n["status"]["conditions"] if c["type"] == "Ready" and c["status"] == "True"]
    assert len(ready) == 2
    pods = checkout.kubernetes().get("/api/v1/namespaces/smoke-test/pods")["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Succeeded", "Succeeded"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
    assert min(data["fidelity"]["realised"], data["fidelity"]["emulated"]) > 0


def test_a_second_up_changes_nothing(checkout: Checkout) -> None:
    data, _ = checkout.aidc("up")
    assert changed(data) == {}


def test_a_refresh_of_what_nobody_touched_finds_no_drift_and_leaves_nothing_to_change(checkout: Checkout) -> None:
    data, told = checkout.aidc("refresh")
    assert changed(data) == {}, told
    checkout.aidc("preview", "--exit-code")


def test_the_smoke_test_again_leaves_no_pods_of_the_one_before(checkout: Checkout) -> None:
    report = checkout.folder / "report.html"
    verdict, _ = checkout.aidc("smoke-test", "--report", str(report))
    assert verdict["passed"]
    assert verdict["series"]["steps"] == list(range(1, 61))
    assert {worker["node"] for worker in verdict["series"]["workers"]} == set(verdict["nodes"])
    assert all(node in report.read_text() for node in verdict["nodes"])
    pods = "/api/v1/namespaces/smoke-test/pods"
    assert wait_until(lambda: len(checkout.kubernetes().get(pods)["items"]) == 2, 30)


@pytest.mark.cli
def test_the_cli_finds_nothing_to_change_on_the_state_that_the_engine_left(checkout: Checkout) -> None:
    process = checkout.start("preview", "--engine", "cli")
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stdout + stderr
    assert "unchanged" in stdout + stderr
    for word in ("to create", "to update", "to delete", "to replace"):
        assert word not in stdout + stderr


def test_a_preview_shows_exactly_what_the_stack_file_changes_and_up_does_it(checkout: Checkout) -> None:
    changes = {"noncurrent_days: 7": "noncurrent_days: 8", "desired_size: 2": "desired_size: 3"}
    checkout.configure(changes | {"environment: local": "environment: rehearsed"})
    planned, _ = checkout.aidc("preview")
    assert names(planned, "update") >= {"storage-data-lifecycle", "pool-cpu-nodes", "network-vpc"}
    assert names(planned, "replace") == {"smoke-test-job"}  # another pool is another test
    assert names(planned, "delete") <= {"smoke-test-job"}  # the one that it replaces
    assert not names(planned, "create")
    done, told = checkout.aidc("up")
    assert changed(done) == changed(planned), told
    assert len(checkout.kubernetes().get("/api/v1/nodes")["items"]) == 3
    assert done["verdict"]["processes"] == 3


def test_a_bucket_deleted_behind_its_back_is_seen_and_mended(checkout: Checkout) -> None:
    s3 = checkout.aws("s3")
    (bucket,) = [b["Name"] for b in s3.list_buckets()["Buckets"] if "-data-" in b["Name"]]
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)
    checkout.aidc("refresh", code=5)  # drift
    data, told = checkout.aidc("up")
    assert data["passed"], told
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert checkout.aws("s3").get_bucket_encryption(Bucket=bucket)
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]  # the playbooks that were in it


def test_a_lost_cloud_is_said_in_a_sentence_and_rebuilt(checkout: Checkout) -> None:
    server = moto.running(checkout.root)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(server.pid)] if psutil.pid_exists(server.pid) else [], timeout=5)
    data, told = checkout.aidc("up")
    assert "is gone" in told
    assert data["passed"], told
    assert checkout.duplicates() == []


def test_a_wrong_stack_file_is_refused_with_its_place_before_anything_changes(checkout: Checkout) -> None:
    good = checkout.stack_file.read_text()
    checkout.configure({"instance_type: m7i.large": "instance_type: m7i.lagre"})
    _, told = checkout.aidc("up", code=4)
    checkout.stack_file.write_text(good)
    line = 1 + good[: good.index("instance_type")].count("\n")
    assert f"Pulumi.local.yaml:{line}:" in told
    assert "m7i.large" in told
    assert "Traceback" not in told


def test_down_leaves_no_process_and_no_file(checkout: Checkout) -> None:
    checkout.down()
    assert not checkout.root.path.exists()
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(checkout.folder) not in listed
