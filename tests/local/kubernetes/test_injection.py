"""What pods are told, and that it stays the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local import networks
from local.control_plane import ControlPlane
from local.control_plane.ports import Place
from local.kubernetes.injection import (
    COORDINATOR,
    Injection,
    as_before,
    containers,
    coordinator_address,
    for_object,
    inject,
    release,
    volumes,
)
from local.kubernetes.tokens import ObjectId
from local.paths import DataRoot
from local.provider import Values


def job(*env: Values) -> Values:
    container: Values = {"name": "train", "env": list(env)}
    return {
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "n"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def plane(root: DataRoot, name: str) -> ControlPlane:
    folder = root.cluster("eu-central-1", name)
    folder.mkdir(parents=True)
    return ControlPlane("eu-central-1", name, folder, Place("127.0.0.1", 1))


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path)


def test_pods_are_told_their_region_and_credentials_that_open_nothing(root: DataRoot) -> None:
    told = inject(job(), for_object(root, plane(root, "a"), job()))
    env = {one["name"]: one["value"] for container in containers(told) for one in container["env"]}
    assert env["AWS_REGION"] == "eu-central-1"
    assert env["AWS_ACCESS_KEY_ID"] == "testing"
    assert COORDINATOR not in env


def test_what_a_program_declares_is_kept_but_for_the_coordinator(root: DataRoot) -> None:
    declared = job({"name": "AWS_REGION", "value": "mine"}, {"name": COORDINATOR, "value": "j-0.j.n.svc:55527"})
    told = inject(declared, for_object(root, plane(root, "a"), declared))
    env = {one["name"]: one["value"] for container in containers(told) for one in container["env"]}
    assert env["AWS_REGION"] == "mine"
    assert env[COORDINATOR].startswith("127.0.0.1:")
    assert [one["name"] for one in next(containers(declared))["env"]] == ["AWS_REGION", COORDINATOR]  # untouched


def test_a_manifest_without_pods_stays_as_it_is() -> None:
    manifest = {"kind": "ConfigMap", "data": {"containers": "x"}}
    assert inject(manifest, Injection({"A": "1"}, {})) == manifest


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "StatefulSet", "Job"])
def test_every_kind_that_makes_pods_is_reached(kind: str) -> None:
    assert len(list(containers({**job(), "kind": kind}))) == 1


def test_a_jobs_port_stays_its_own_and_no_other_clusters(root: DataRoot) -> None:
    one, other = plane(root, "a"), plane(root, "b")
    first = coordinator_address(root, one, ObjectId("n", "j"))
    assert coordinator_address(root, one, ObjectId("n", "j")) == first
    assert len({first, coordinator_address(root, other, ObjectId("n", "j"))}) == 2
    release(root, one, ObjectId("n", "j"))
    release(root, one, ObjectId("n", "j"))


def test_a_job_that_runs_is_told_nothing_new() -> None:
    live = job({"name": "AWS_ENDPOINT_URL", "value": "http://old"}, {"name": COORDINATOR, "value": "127.0.0.1:1"})
    now = Injection({"AWS_ENDPOINT_URL": "http://new", "AWS_REGION": "r"}, {COORDINATOR: "127.0.0.1:2"})
    assert as_before(job(), live, now) == Injection({"AWS_ENDPOINT_URL": "http://old"}, {COORDINATOR: "127.0.0.1:1"})


def on_machines(root: DataRoot, name: str) -> ControlPlane:
    made = plane(root, name)
    (made.folder / networks.FILE).write_text('{"subnet": "198.18.16.0/20"}')
    return made


def workload(*env: Values) -> Values:
    manifest = job(*env)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "1.dkr.ecr.eu-central-1.example/main/train:abc"
    return manifest


def test_on_machines_a_coordinator_keeps_the_name_that_is_declared(root: DataRoot) -> None:
    declared = workload({"name": COORDINATOR, "value": "job-0.smoke-test.n.svc:55527"})
    told = inject(declared, for_object(root, on_machines(root, "a"), declared))
    (container,) = containers(told)
    assert {"name": COORDINATOR, "value": "job-0.smoke-test.n.svc:55527"} in container["env"]


def test_on_machines_the_workload_sees_the_cache_that_outlives_it_and_others_do_not(root: DataRoot) -> None:
    machines = on_machines(root, "a")
    told = inject(workload(), for_object(root, machines, workload()))
    (container,) = containers(told)
    (mount,) = container["volumeMounts"]
    (volume,) = told["spec"]["template"]["spec"]["volumes"]
    assert volume == {"name": mount["name"], "persistentVolumeClaim": {"claimName": mount["name"]}}
    disk, claim = volumes(for_object(root, machines, workload()), "n", "uid-1")
    assert disk["spec"]["hostPath"]["path"] == mount["mountPath"]
    assert (claim["metadata"]["namespace"], claim["metadata"]["name"]) == ("n", mount["name"])
    assert claim["spec"]["volumeName"] == disk["metadata"]["name"]
    assert {"name": "JAX_COMPILATION_CACHE_DIR", "value": mount["mountPath"]} in container["env"]
    other = inject(job(), for_object(root, machines, job()))
    assert "volumes" not in other["spec"]["template"]["spec"]


def test_what_runs_by_schedule_gets_no_folder_of_the_machine_which_its_namespace_may_forbid(root: DataRoot) -> None:
    scheduled: Values = {"kind": "CronJob", "metadata": {"name": "j"}, "spec": {"jobTemplate": workload()}}
    told = inject(scheduled, for_object(root, on_machines(root, "a"), scheduled))
    (container,) = containers(told)
    assert "volumeMounts" not in container
    assert {"name": "AWS_REGION", "value": "eu-central-1"} in container["env"]


def test_a_namespace_that_was_made_again_claims_a_volume_of_its_own(root: DataRoot) -> None:
    injection = for_object(root, on_machines(root, "a"), workload())
    first, again = (next(iter(volumes(injection, "n", uid)))["metadata"]["name"] for uid in ("uid-1", "uid-2"))
    assert first != again


def test_a_job_that_runs_without_the_cache_is_not_given_it(root: DataRoot) -> None:
    machines = on_machines(root, "a")
    injection = as_before(workload(), workload(), for_object(root, machines, workload()))
    assert inject(workload(), injection) == workload()


def test_an_injected_manifest_is_the_same_each_time(root: DataRoot) -> None:
    machines = on_machines(root, "a")
    told = inject(workload(), for_object(root, machines, workload()))
    again = inject(workload(), as_before(workload(), told, for_object(root, machines, workload())))
    assert again == told


def accelerated(image: str) -> Values:
    manifest = job({"name": "A", "value": "b"})
    (container,) = containers(manifest)
    devices = {"nvidia.com/gpu": "8", "vpc.amazonaws.com/efa": "16", "hugepages-2Mi": "5120Mi"}
    container |= {"image": image, "resources": {"requests": {"cpu": "4", **devices}, "limits": dict(devices)}}
    return manifest


def test_the_workload_is_given_cpus_in_place_of_accelerators_and_is_told_how_many(root: DataRoot) -> None:
    declared = accelerated("registry/dc/train:1")
    (told,) = containers(inject(declared, for_object(root, plane(root, "a"), declared)))
    env = {one["name"]: one["value"] for one in told["env"]}
    assert (env["EMULATED_DEVICES"], env["JAX_PLATFORMS"]) == ("8", "cpu")
    assert told["resources"] == {"requests": {"cpu": "4"}, "limits": {}}
    assert declared == accelerated("registry/dc/train:1")


def test_it_is_given_as_many_as_its_catalogue_row_says_where_a_chip_is_more_than_one_device(root: DataRoot) -> None:
    declared = job({"name": "ACCELERATOR", "value": json.dumps({"chips": 8})})
    (container,) = containers(declared)
    container |= {"image": "registry/dc/train:1", "resources": {"limits": {"google.com/tpu": "4"}}}
    (told,) = containers(inject(declared, for_object(root, plane(root, "a"), declared)))
    assert {"name": "EMULATED_DEVICES", "value": "8"} in told["env"]
    assert told["resources"] == {"limits": {}}


def test_other_pods_wait_for_the_devices_that_they_ask_for(root: DataRoot) -> None:
    declared = accelerated("vllm/vllm-openai:1")
    (told,) = containers(inject(declared, for_object(root, plane(root, "a"), declared)))
    assert told["resources"]["limits"]["nvidia.com/gpu"] == "8"
    assert "EMULATED_DEVICES" not in {one["name"] for one in told["env"]}
