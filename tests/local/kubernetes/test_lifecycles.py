"""Every kind that the components use lives its whole life on a real API server."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.control_plane import ControlPlane, ensure
from local.kube_api import MERGE_PATCH
from local.paths import DataRoot
from local.provider import Values, from_struct
from tests.local.kubernetes.conftest import Client, Refused, new_client, urn_of

pytestmark = pytest.mark.real

LABELLED: Values = {"metadata": {"labels": {"x": "y"}}}
RULES: list[Values] = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
NODE_POD: Values = {
    "metadata": {"labels": {"app": "agent"}},
    "spec": {"containers": [{"name": "agent", "image": "x", "env": [{"name": "A", "value": "1"}]}]},
}

OBJECTS: dict[str, tuple[str, Values, Values]] = {
    "config map": ("kubernetes:core/v1:ConfigMap", {"data": {"a": "1", "b.c": "2"}}, LABELLED),
    "secret": ("kubernetes:core/v1:Secret", {"stringData": {"a": "canary-1"}}, LABELLED),
    "service account": (
        "kubernetes:core/v1:ServiceAccount",
        {"automountServiceAccountToken": False},
        {"automountServiceAccountToken": True},
    ),
    "role": ("kubernetes:rbac.authorization.k8s.io/v1:Role", {"rules": RULES}, {"rules": [*RULES, *RULES]}),
    "role binding": (
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "default"}],
        },
        {"subjects": [{"kind": "ServiceAccount", "name": "b", "namespace": "default"}]},
    ),
    "headless service": (
        "kubernetes:core/v1:Service",
        {
            "spec": {
                "clusterIP": "None",
                "publishNotReadyAddresses": True,
                "selector": {"job": "j"},
                "ports": [{"name": "coordinator", "port": 55527}],
            }
        },
        {"spec": {"clusterIP": "None", "selector": {"job": "k"}, "ports": [{"name": "coordinator", "port": 55527}]}},
    ),
    "daemon set without nodes": (
        "kubernetes:apps/v1:DaemonSet",
        {"spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": NODE_POD}},
        {"metadata": {"labels": {"x": "y"}}},
    ),
    "namespace": ("kubernetes:core/v1:Namespace", {}, {"metadata": {"labels": {"x": "y"}}}),
}  # fmt: skip


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_object_is_made_compared_changed_read_and_removed(client: Client, kind: str) -> None:
    token, inputs, change = OBJECTS[kind]
    urn = urn_of(token, kind.replace(" ", "-"))
    checked = client.check(urn, inputs)
    id, outputs = client.create(urn, checked)
    assert outputs["metadata"]["uid"]
    assert "managedFields" not in outputs["metadata"]

    same = client.check(urn, inputs, checked)
    assert same == checked
    assert not client.diff(urn, id, outputs, checked, same).detailedDiff
    assert client.read(urn, id, checked, outputs)[:2] == (id, checked)

    news = client.check(urn, {**inputs, **change}, checked)
    answer = client.diff(urn, id, outputs, checked, news)
    assert answer.diffs
    assert not answer.replaces
    updated = client.update(urn, id, outputs, checked, news)
    assert updated["metadata"]["uid"] == outputs["metadata"]["uid"]
    assert client.read(urn, id, news, updated)[1] == news

    client.delete(urn, id, updated, news)
    assert client.read(urn, id, news, updated)[0] == ""
    client.delete(urn, id, updated, news)  # gone already: fine


def test_what_others_changed_is_seen_and_mended(client: Client, plane: ControlPlane) -> None:
    urn = urn_of("kubernetes:core/v1:ServiceAccount", "drift")
    inputs = client.check(urn, {"metadata": {"name": "drift", "labels": {"team": "a"}}})
    id, outputs = client.create(urn, inputs)
    path = "/api/v1/namespaces/default/serviceaccounts/drift"
    plane.api().patch(path, {"metadata": {"labels": {"team": "b", "theirs": "kept"}}}, MERGE_PATCH)

    _, drifted, seen = client.read(urn, id, inputs, outputs)
    assert drifted["metadata"]["labels"] == {"team": "b"}
    assert list(client.diff(urn, id, seen, drifted, inputs).detailedDiff) == ["metadata.labels.team"]
    mended = client.update(urn, id, seen, drifted, inputs)
    assert mended["metadata"]["labels"]["team"] == "a"
    assert mended["metadata"]["labels"]["theirs"] == "kept"
    client.delete(urn, id, mended)


def test_a_field_that_somebody_else_manages_is_not_taken(client: Client, plane: ControlPlane) -> None:
    body: Values = {"metadata": {"name": "theirs"}, "data": {"a": "theirs"}}
    plane.api().create("/api/v1/namespaces/default/configmaps", body)
    urn = urn_of("kubernetes:core/v1:ConfigMap", "theirs")
    with pytest.raises(Refused, match=r"somebody else manages.*\.data\.a"):
        client.create(urn, client.check(urn, {"metadata": {"name": "theirs"}, "data": {"a": "ours"}}))
    plane.api().delete("/api/v1/namespaces/default/configmaps/theirs")


def test_what_a_killed_run_made_is_adopted_once_and_a_replacement_is_not_what_it_replaces(
    client: Client, real_root: DataRoot, plane: ControlPlane
) -> None:
    urn = urn_of("kubernetes:core/v1:ConfigMap", "adopted")
    orphan, _ = client.create(urn, client.check(urn, {"data": {"a": "1"}}))

    after = new_client(real_root, plane)
    inputs = after.check(urn, {"data": {"a": "2"}})
    assert inputs["metadata"]["name"] not in orphan
    id, outputs = after.create(urn, inputs)
    assert (id, outputs["data"]) == (orphan, {"a": "2"})

    replacing = new_client(real_root, plane)
    news = replacing.check(urn, {"data": {"a": "3"}}, inputs)
    answer = replacing.diff(urn, id, outputs, inputs, news)
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["data"], False)
    successor, newer = replacing.create(urn, replacing.check(urn, {"data": {"a": "3"}}))
    assert successor != id
    replacing.delete(urn, id, outputs)
    assert replacing.read(urn, successor)[0] == successor
    replacing.delete(urn, successor, newer)


def test_secret_data_is_in_no_message(client: Client) -> None:
    urn = urn_of("kubernetes:core/v1:Secret", "bad")
    with pytest.raises(Refused) as refused:
        client.create(urn, client.check(urn, {"data": {"not base64": "canary-2"}, "type": "x" * 300}))
    assert "canary" not in str(refused.value)
    assert "canary" not in " ".join(client.said)


def test_a_field_that_does_not_exist_is_refused_in_a_sentence(client: Client) -> None:
    urn = urn_of("kubernetes:core/v1:ServiceAccount", "wrong")
    with pytest.raises(Refused, match=r"refused to apply ServiceAccount wrong-.* in namespace default.*notAField"):
        client.create(urn, client.check(urn, {"notAField": True}))


def job(name: str, image: str = "x") -> Values:
    """An Indexed Job as the smoke test's: two pods that meet at a coordinator."""
    environment = [{"name": "JAX_COORDINATOR_ADDRESS", "value": f"{name}-0.{name}.default.svc:55527"}]
    container: Values = {"name": "train", "image": image, "command": ["true"], "env": environment}
    return {
        "metadata": {"name": name},
        "spec": {
            "completions": 2,
            "parallelism": 2,
            "completionMode": "Indexed",
            "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


def set_status(plane: ControlPlane, path: str, status: dict[str, Any]) -> None:
    """Play the node: write a status."""
    plane.api().patch(f"{path}/status", {"status": status}, MERGE_PATCH)


def end_pods(plane: ControlPlane, name: str, exit_code: int) -> None:
    """Play the node for both pods of a Job."""
    deadline = time.monotonic() + 30
    pods: list[Values] = []
    while len(pods) < 2 and time.monotonic() < deadline:
        pods = plane.api().get("/api/v1/namespaces/default/pods", labelSelector=f"job-name={name}")["items"]
        time.sleep(0.1)
    for pod in pods:
        end = {
            "exitCode": exit_code,
            "reason": "Error",
            "message": "loss did not fall",
            "finishedAt": "2030-01-01T00:00:00Z",
        }
        container = {"name": "train", "image": "x", "imageID": "x", "ready": False, "restartCount": 0}
        ended = [{**container, "state": {"terminated": end}}]
        status = {"phase": "Failed" if exit_code else "Succeeded", "containerStatuses": ended}
        set_status(plane, f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}", status)


def test_a_job_is_awaited_and_tells_how_far_it_is(client: Client, plane: ControlPlane) -> None:
    urn = urn_of("kubernetes:batch/v1:Job", "passes")
    inputs = client.check(urn, job("passes"))
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(client.create, urn, inputs)
        end_pods(plane, "passes", 0)
        id, outputs = making.result()
    assert outputs["status"]["succeeded"] == 2
    assert "Job passes in namespace default: 2 of 2 pods succeeded" in client.said
    told = {one["name"]: one["value"] for one in outputs["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert told["JAX_COORDINATOR_ADDRESS"].startswith("127.0.0.1:")
    assert told["AWS_REGION"] == "eu-central-1"
    assert not client.diff(urn, id, outputs, inputs, inputs).detailedDiff

    labelled = client.check(urn, {**job("passes"), "metadata": {"name": "passes", "labels": {"x": "y"}}}, inputs)
    assert client.update(urn, id, outputs, inputs, labelled)["metadata"]["labels"]["x"] == "y"
    changed = client.diff(urn, id, outputs, inputs, client.check(urn, job("passes", image="y"), inputs))
    assert (list(changed.replaces), changed.deleteBeforeReplace) == (["spec"], True)
    client.delete(urn, id, outputs)


def test_a_failed_job_stays_with_its_reason_on_one_screen(client: Client, plane: ControlPlane) -> None:
    urn = urn_of("kubernetes:batch/v1:Job", "fails")
    inputs = client.check(urn, job("fails"))
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(client.create, urn, inputs)
        end_pods(plane, "fails", 3)
        with pytest.raises(Refused) as refused:
            making.result()
    init = refused.value.init
    assert init is not None
    assert init.id == "default/fails"
    reasons = "\n".join(init.reasons)
    assert "container train ended with exit code 3 (Error): loss did not fall" in reasons
    assert len(reasons.splitlines()) < 30
    client.delete(urn, init.id, reveal_outputs(init))


def reveal_outputs(init: Any) -> Values:
    """The outputs in a failed create's details."""
    return from_struct(init.properties)


def test_an_api_server_that_restarts_within_a_call_is_waited_for(
    client: Client, real_root: DataRoot, plane: ControlPlane
) -> None:
    urn = urn_of("kubernetes:core/v1:ConfigMap", "patient")
    plane.stop()
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(client.create, urn, client.check(urn, {"data": {"a": "1"}}))
        ensure(real_root, plane.region, plane.name)
        id, outputs = making.result(timeout=60)
    client.delete(urn, id, outputs)
