"""A new node of a real cluster is let in by its checks; one that fails them is not, and says why to whoever waits.

What is declared is the component's own; the API server, its admission policy and the tokens are real.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from components.node_verification import NodeVerification, NodeVerificationArgs
from components.node_verification_rights import NAMESPACE
from components.settings import UNVERIFIED, PoolConfig
from components.verified_nodes import of_node_groups
from local import node_agent
from local.control_plane import ControlPlane
from local.node_agent import NodeSpec, Taint
from local.paths import DataRoot
from operations import node_checks
from tests.components.mocks import Cloud, run
from tests.local.kubernetes.conftest import Client, Refused, new_client, urn_of

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ai/train:abc"
GOOD, BAD = "small-0", "large-0"
# No machine that runs tests has the memory of the larger one.
POOLS = {"small": "m7i.large", "large": "m7i.48xlarge"}


def declared() -> Cloud:
    pools = {name: PoolConfig(instance_type=kind, desired_size=1, verified=True) for name, kind in POOLS.items()}

    def declare() -> None:
        args = NodeVerificationArgs(
            nodes=of_node_groups(pools), image=IMAGE, vpc_cidr="10.0.0.0/16", service_cidr="10.96.0.0/16"
        )
        NodeVerification("node-verification", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def node_spec(name: str) -> NodeSpec:
    pool = name.partition("-")[0]
    labels = {"ai-datacenter/pool": pool}
    return NodeSpec(
        name, pool, POOLS[pool], "eu-central-1a", 192, 768 * 1024, labels,
        first_labels={UNVERIFIED: "true"}, first_taints=(Taint(UNVERIFIED),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def nodes(real_root: DataRoot, plane: ControlPlane) -> Iterator[ControlPlane]:
    for name in (GOOD, BAD):
        node_agent.start(plane, node_spec(name))
    client, made = new_client(real_root, plane), list[tuple[str, str, Any]]()
    assert all(taints_of(plane, name) == [UNVERIFIED] for name in (GOOD, BAD))
    order = ("Namespace", "ServiceAccount", "ClusterRole", "ValidatingAdmissionPolicy")
    kinds = [one for one in declared().resources if one.typ.startswith("kubernetes:")]
    kinds.sort(key=lambda one: next((n for n, kind in enumerate(order) if one.typ.endswith(f":{kind}")), len(order)))
    for one in kinds:
        urn = urn_of(one.typ, one.name)
        id, outputs = client.create(urn, client.check(urn, dict(one.inputs)))
        made.append((urn, id, outputs))
    yield plane
    for urn, id, outputs in reversed(made):
        client.delete(urn, id, outputs)
    for name in (GOOD, BAD):
        node_agent.stop(plane, name)


def node(plane: ControlPlane, name: str) -> dict[str, Any]:
    return plane.api().get(f"/api/v1/nodes/{name}")


def taints_of(plane: ControlPlane, name: str) -> list[str]:
    return [taint["key"] for taint in node(plane, name)["spec"].get("taints") or []]


def pods(plane: ControlPlane, name: str) -> list[dict[str, Any]]:
    return plane.api().get(f"/api/v1/namespaces/{NAMESPACE}/pods", fieldSelector=f"spec.nodeName={name}")["items"]


def wait_for(what: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def reason(plane: ControlPlane) -> str:
    return node(plane, BAD)["metadata"].get("annotations", {}).get(UNVERIFIED, "")


def test_a_node_that_passes_loses_taint_and_label_and_then_the_pod(nodes: ControlPlane) -> None:
    wait_for(lambda: not taints_of(nodes, GOOD))
    assert UNVERIFIED not in node(nodes, GOOD)["metadata"]["labels"]
    wait_for(lambda: not pods(nodes, GOOD))


def test_a_node_that_fails_stays_tainted_with_its_reason_and_is_tried_again(nodes: ControlPlane) -> None:
    assert "main memory" in wait_for(lambda: reason(nodes))
    assert taints_of(nodes, BAD) == [UNVERIFIED]
    wait_for(lambda: restarts(nodes, BAD) >= 1)
    assert taints_of(nodes, BAD) == [UNVERIFIED]


def test_what_its_pod_does_is_read_from_the_real_pod(nodes: ControlPlane) -> None:
    wait_for(lambda: restarts(nodes, BAD) >= 1)
    found = node_checks.pod_on(BAD, nodes.api().get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"])
    said = node_checks.progress(found)
    assert said.startswith(("its checks run", "not checked yet, its check's pod"))
    assert "it ended with " in said
    assert 0 <= (node_checks.age_s(node(nodes, BAD), found) or -1) < node_checks.LIMIT_S


def restarts(plane: ControlPlane, name: str) -> int:
    statuses = [status for pod in pods(plane, name) for status in pod["status"].get("containerStatuses") or []]
    return max((status["restartCount"] for status in statuses), default=0)


def test_a_job_that_waits_for_such_a_node_is_told_which_and_why(nodes: ControlPlane, client: Client) -> None:
    wait_for(lambda: reason(nodes))
    container = {"name": "c", "image": IMAGE, "command": ["true"]}
    pod = {"restartPolicy": "Never", "nodeSelector": {"ai-datacenter/pool": "large"}, "containers": [container]}
    inputs = {"metadata": {"name": "waits"}, "spec": {"activeDeadlineSeconds": 2, "template": {"spec": pod}}}
    urn = urn_of("kubernetes:batch/v1:Job", "waits")
    with pytest.raises(Refused) as refused:
        client.create(urn, client.check(urn, inputs))
    assert refused.value.init is not None
    assert any(f"node {BAD} is tainted {UNVERIFIED}: " in one for one in refused.value.init.reasons)
    assert any("main memory" in said for said in client.said)
    client.delete(urn, refused.value.init.id, {})


@pytest.fixture
def as_the_pod(nodes: ControlPlane) -> Callable[[str, list[dict[str, Any]]], tuple[int, str]]:
    """Patches a node with the token of the pod that waits on the node that failed."""
    wait_for(lambda: reason(nodes))
    (folder,) = (nodes.nodes_folder / BAD / "pods").glob(f"{NAMESPACE}_*/volumes/credentials")
    token = (folder / "token").read_text()

    def patch(name: str, operations: list[dict[str, Any]]) -> tuple[int, str]:
        address = nodes.endpoint.removeprefix("https://")
        tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        connection = http.client.HTTPSConnection(address, timeout=10, context=tls)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json-patch+json"}
        connection.request("PATCH", f"/api/v1/nodes/{name}?dryRun=All", json.dumps(operations), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("message", "")

    return patch


ESCAPED = UNVERIFIED.replace("/", "~1")
OFF = {"op": "remove", "path": "/spec/taints/0"}
UNLABELLED = {"op": "remove", "path": f"/metadata/labels/{ESCAPED}"}


@pytest.mark.parametrize(
    ("operations", "told"),
    [
        ([{"op": "replace", "path": "/metadata/labels/ai-datacenter~1pool", "value": "other"}], "labels"),
        ([{"op": "add", "path": "/metadata/labels/mine", "value": ""}], "labels"),
        ([{"op": "remove", "path": "/metadata/labels/ai-datacenter~1pool"}], "labels"),
        ([{"op": "add", "path": "/metadata/annotations/mine", "value": ""}], "annotations"),
        ([{"op": "add", "path": "/spec/taints/-", "value": {"key": "mine", "effect": "NoExecute"}}], "taints"),
        ([{"op": "replace", "path": "/spec/taints/0/effect", "value": "NoExecute"}], "taints"),
        ([{"op": "add", "path": "/spec/unschedulable", "value": True}], "nothing else"),
        ([{"op": "add", "path": "/metadata/finalizers", "value": ["mine.example.com/x"]}], "nothing else"),
    ],
)
def test_the_check_s_account_changes_nothing_else_of_its_node(
    as_the_pod: Callable[..., tuple[int, str]], operations: list[dict[str, Any]], told: str
) -> None:
    status, message = as_the_pod(BAD, operations)
    assert status == 422
    assert "ValidatingAdmissionPolicy" in message
    assert told in message.rpartition("denied request")[2]


def test_the_check_s_account_changes_no_other_node(as_the_pod: Callable[..., tuple[int, str]]) -> None:
    status, message = as_the_pod(GOOD, [{"op": "add", "path": f"/metadata/annotations/{ESCAPED}", "value": "x"}])
    assert status == 422
    assert "the node that it runs on, and no other" in message


def test_the_check_s_account_may_let_its_own_node_in(as_the_pod: Callable[..., tuple[int, str]]) -> None:
    assert as_the_pod(BAD, [OFF, UNLABELLED]) == (200, "")


def test_a_node_that_is_labelled_again_is_checked_again(nodes: ControlPlane) -> None:
    wait_for(lambda: not pods(nodes, GOOD))
    again = {"metadata": {"labels": {UNVERIFIED: "true"}}}
    nodes.api().patch(f"/api/v1/nodes/{GOOD}", again)
    wait_for(lambda: UNVERIFIED in taints_of(nodes, GOOD))
    wait_for(lambda: not taints_of(nodes, GOOD) and not pods(nodes, GOOD))
