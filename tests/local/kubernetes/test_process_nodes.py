"""Jobs on process nodes: the whole way from a declared Job to a process's exit code and log."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local import node_agent
from local.control_plane import ControlPlane
from local.node_agent import NodeSpec
from local.provider import Values
from tests.local.kubernetes.conftest import Client, Refused, urn_of

pytestmark = pytest.mark.real

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ai/train:abc"
NODE = NodeSpec("pool-0", "pool", "c7i.xlarge", "eu-central-1a", 4, 8192, {"role": "kubernetes-test"})


@pytest.fixture(scope="module")
def node(plane: ControlPlane) -> Iterator[NodeSpec]:
    node_agent.start(plane, NODE)
    yield NODE
    node_agent.stop(plane, NODE.name)


def job(name: str, command: str, image: str = IMAGE) -> Values:
    container: Values = {
        "name": "train",
        "image": image,
        "command": ["sh", "-c", command],
        "env": [{"name": "JAX_COORDINATOR_ADDRESS", "value": f"{name}-0.{name}.default.svc:55527"}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    pod: Values = {
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "nodeSelector": {"role": "kubernetes-test"},
        "containers": [container],
    }
    return {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {"spec": pod}}}


def test_a_job_runs_with_its_injected_coordinator(client: Client, node: NodeSpec) -> None:
    urn = urn_of("kubernetes:batch/v1:Job", "runs")
    inputs = client.check(urn, job("runs", 'case "$JAX_COORDINATOR_ADDRESS" in 127.0.0.1:*) ;; *) exit 9 ;; esac'))
    id, outputs = client.create(urn, inputs)
    assert outputs["status"]["succeeded"] == 1
    assert client.read(urn, id, inputs, outputs)[1] == inputs
    client.delete(urn, id, outputs)


def test_a_failing_job_shows_its_last_log_lines(client: Client, node: NodeSpec) -> None:
    urn = urn_of("kubernetes:batch/v1:Job", "breaks")
    command = "for i in $(seq 1 50); do echo step $i; done; echo 'the loss did not fall' >&2; exit 7"
    with pytest.raises(Refused) as refused:
        client.create(urn, client.check(urn, job("breaks", command)))
    init = refused.value.init
    assert init is not None
    reasons = "\n".join(init.reasons)
    assert "on node pool-0: container train ended with exit code 7" in reasons
    assert "the loss did not fall" in reasons
    assert "step 50" in reasons
    assert "step 20\n" not in reasons
    assert len(reasons.splitlines()) < 40
    client.delete(urn, init.id, {})


def test_an_image_that_no_node_carries_is_told_before_the_timeout(client: Client, node: NodeSpec) -> None:
    urn = urn_of("kubernetes:batch/v1:Job", "pulls")
    with pytest.raises(Refused, match="cannot start") as refused:
        client.create(urn, client.check(urn, job("pulls", "true", image="nginx")), timeout=90)
    assert refused.value.init is not None
    assert "ImagePullBackOff" in "\n".join(refused.value.init.reasons)
    client.delete(urn, refused.value.init.id, {})


def test_a_nodes_agent_whose_image_is_not_here_is_kept_and_not_awaited(client: Client, node: NodeSpec) -> None:
    container: Values = {"name": "plugin", "image": "plugin:1", "securityContext": {"privileged": True}}
    pod: Values = {"nodeSelector": {"role": "kubernetes-test"}, "containers": [container]}
    labels = {"app": "plugin"}
    template: Values = {"metadata": {"labels": labels}, "spec": pod}
    spec: Values = {"selector": {"matchLabels": labels}, "template": template}
    urn = urn_of("kubernetes:apps/v1:DaemonSet", "plugin")
    began = time.monotonic()
    id, outputs = client.create(urn, client.check(urn, {"metadata": {"name": "plugin"}, "spec": spec}), timeout=90)
    assert time.monotonic() - began < 60
    client.delete(urn, id, outputs)
