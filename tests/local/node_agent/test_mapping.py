"""A pod's specification as a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.node_agent import mapping, volumes
from local.node_agent.container import Exit
from local.node_agent.status import ContainerState, phase, pod_status

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ai/train:abc"
POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"a/b": "c"}},
    "spec": {"nodeName": "node-0", "volumes": [{"name": "shm", "emptyDir": {}}, {"name": "c", "configMap": {}}]},
}


def lookup(kind: str, name: str) -> dict[str, str] | None:
    return {("configmaps", "settings"): {"k": "v"}, ("secrets", "s"): {"token": "t"}}.get((kind, name))


def env(*variables: dict[str, Any], **container: Any) -> dict[str, str]:
    return mapping.environment(POD, {"env": list(variables), **container}, lookup)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$(A)-$(B)", "1-$(B)"), ("$$(A)", "$(A)"), ("$A", "$A"), ("$(A", "$(A")],
)
def test_variables_expand_by_the_kubelets_rules(text: str, expected: str) -> None:
    assert mapping.expand(text, {"A": "1"}) == expected


def test_later_variables_see_earlier_ones_and_the_downward_api() -> None:
    node = {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    label = {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a/b']"}}}
    assert env(node, label, {"name": "X", "value": "$(NODE_NAME)/$(L)"})["X"] == "node-0/c"


def test_config_maps_and_secrets_reach_the_environment() -> None:
    key = {"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}}
    assert env(key, envFrom=[{"prefix": "P_", "configMapRef": {"name": "settings"}}]) == {"P_k": "v", "T": "t"}


def test_a_missing_key_makes_the_container_wait_unless_it_is_optional() -> None:
    reference = {"name": "s", "key": "absent"}
    with pytest.raises(mapping.CannotRun, match="secret 's' has no key 'absent'"):
        env({"name": "T", "valueFrom": {"secretKeyRef": reference}})
    assert env({"name": "T", "valueFrom": {"secretKeyRef": {**reference, "optional": True}}}) == {}


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"image": "nginx:1"}, "ImagePullBackOff"),
        ({"image": IMAGE, "command": ["x"], "volumeMounts": [{"name": "c", "mountPath": "/c"}]},
         "CreateContainerConfigError"),
        ({"image": IMAGE}, "CreateContainerError"),
    ],
)  # fmt: skip
def test_what_a_process_cannot_be_given_waits_with_its_reason(container: dict[str, Any], reason: str) -> None:
    with pytest.raises(mapping.CannotRun) as refused:
        mapping.check(POD, container)
    assert refused.value.reason == reason


def test_shared_memory_is_the_hosts_own() -> None:
    mapping.check(POD, {"image": IMAGE, "command": ["x"], "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}]})


CREDENTIALS: dict[str, Any] = {
    "name": "t",
    "projected": {
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
            {"configMap": {"name": "ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        ]
    },
}


def with_credentials(*variables: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    pod = {**POD, "spec": {"serviceAccountName": "a", "volumes": [CREDENTIALS]}}
    mounts = [{"name": "t", "mountPath": "/var/run/t/"}]
    return pod, {"image": IMAGE, "command": ["x"], "volumeMounts": mounts, "env": list(variables)}


def cluster(data: dict[str, str] | None) -> volumes.Cluster:
    return volumes.Cluster("127.0.0.1", 6443, lambda kind, name: data, lambda pod, source: "secret")


def test_projected_files_are_in_the_pod_s_folder_and_variables_that_name_the_mount_are_told_so(tmp_path: Path) -> None:
    pod, container = with_credentials({"name": "WHERE", "value": "/var/run/t"})
    mapping.check(pod, container)
    told = {"WHERE": "/var/run/t", "FILE": "/var/run/t/token", "OTHER": "/var/run/tt"}
    env = volumes.provide(pod, container, told, tmp_path, cluster({"ca.crt": "CA", "more": "x"}))
    assert Path(env["FILE"]).read_text() == "secret"
    assert Path(env["FILE"]).stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in Path(env["WHERE"]).iterdir()) == ["ca.crt", "token"]
    assert env["OTHER"] == "/var/run/tt"


def test_files_that_no_variable_names_would_not_be_found_and_are_refused() -> None:
    with pytest.raises(mapping.CannotRun, match="whose path a variable names"):
        mapping.check(*with_credentials())


@pytest.mark.parametrize("data", [None, {"other": "x"}])
def test_a_config_map_that_is_not_there_makes_the_container_wait(tmp_path: Path, data: dict[str, str] | None) -> None:
    pod, container = with_credentials({"name": "WHERE", "value": "/var/run/t"})
    with pytest.raises(mapping.CannotRun, match="configmap 'ca'"):
        volumes.provide(pod, container, {}, tmp_path, cluster(data))


@pytest.mark.parametrize(
    ("source", "is_skipped"),
    [
        ({"serviceAccountToken": {"path": "token", "audience": "sts.amazonaws.com"}}, True),
        ({"serviceAccountToken": {"path": "token"}}, False),
        ({"configMap": {"name": "c"}}, False),
    ],
)
def test_a_token_for_another_cloud_is_no_file_of_a_process_and_others_are_asked_for_in_vain(
    source: dict[str, Any], is_skipped: bool
) -> None:
    pod = {**POD, "spec": {"volumes": [{"name": "t", "projected": {"sources": [source]}}]}}
    container = {"image": IMAGE, "command": ["x"], "volumeMounts": [{"name": "t", "mountPath": "/t"}]}
    if is_skipped:
        mapping.check(pod, container)
    else:
        with pytest.raises(mapping.CannotRun):
            mapping.check(pod, container)


def test_a_repository_is_read_with_port_tag_and_digest() -> None:
    assert mapping.repository("localhost:5000/a/train:1@sha256:00") == "localhost:5000/a/train"


def state(code: int | None = None, **more: Any) -> ContainerState:
    ended = None if code is None else Exit(code, "Completed" if code == 0 else "Error", "", 1.0, 2.0)
    return ContainerState("c", IMAGE, started_at=1.0, ended=ended, **more)


@pytest.mark.parametrize(
    ("states", "policy", "deleting", "expected"),
    [
        ([ContainerState("c", IMAGE)], "Never", False, "Pending"),
        ([state()], "Never", False, "Running"),
        ([state(0), state()], "Never", False, "Running"),
        ([state(0)], "Never", False, "Succeeded"),
        ([state(0), state(3)], "Never", False, "Failed"),
        ([state(0)], "Always", False, "Running"),
        ([state(143)], "Always", True, "Failed"),
    ],
)
def test_the_phase_follows_the_kubelets_rules(
    states: list[ContainerState], policy: str, deleting: bool, expected: str
) -> None:
    assert phase(states, [], policy, deleting) == expected


def test_a_finished_pod_is_not_ready_and_says_how_it_ended() -> None:
    pod = {**POD, "spec": {**POD["spec"], "restartPolicy": "Never"}}
    status = pod_status(pod, [state(3)], [], 1.0)
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PodFailed")
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3
