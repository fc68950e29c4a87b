"""Typed records live as resources do: made, read, compared, changed, deleted; GKE is a real cluster with nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from local import control_plane, node_agent
from local.gcp.provider import GcpProvider
from local.gcp.tables import TYPES
from local.paths import DataRoot
from local.provider import to_struct
from setup.host import NODES, PROCESSES
from tests.local.aws.driver import Context, Driver, Refused, changed, urn_of

pytestmark = pytest.mark.real

EXAMPLES: dict[str, dict[str, Any]] = {
    "gcp:projects/service:Service": {"service": "compute.googleapis.com", "disableOnDestroy": False},
    "gcp:compute/network:Network": {"name": "net", "autoCreateSubnetworks": False, "routingMode": "REGIONAL"},
    "gcp:compute/subnetwork:Subnetwork": {
        "name": "sub", "network": "net", "ipCidrRange": "10.0.0.0/20", "privateIpGoogleAccess": True,
    },
    "gcp:compute/router:Router": {"name": "router", "network": "net"},
    "gcp:compute/routerNat:RouterNat": {
        "name": "nat", "router": "router", "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
    },
    "gcp:compute/resourcePolicy:ResourcePolicy": {
        "name": "policy", "workloadPolicy": {"type": "HIGH_THROUGHPUT", "acceleratorTopology": "2x2x2"},
    },
    "gcp:serviceaccount/account:Account": {"accountId": "nodes", "displayName": "Nodes"},
    "gcp:projects/iAMMember:IAMMember": {"project": "my-project", "role": "roles/viewer", "member": "user:a@b.c"},
    "gcp:artifactregistry/repository:Repository": {"repositoryId": "dc", "location": "us-east5", "format": "DOCKER"},
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": {
        "repository": "dc", "location": "us-east5", "role": "roles/artifactregistry.reader", "member": "user:a@b.c",
    },
}  # fmt: skip
CLUSTER: dict[str, Any] = {
    "name": "tpus", "location": "us-east5", "deletionProtection": False,
    "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
}  # fmt: skip
POOL: dict[str, Any] = {
    "name": "v5p-0", "cluster": "tpus", "location": "us-east5", "nodeLocations": ["us-east5-a"], "nodeCount": 2,
    "placementPolicy": {"type": "COMPACT", "policyName": "policy"},
    "nodeConfig": {
        "machineType": "tpu7x-standard-4t",
        "taints": [{"key": "google.com/tpu", "value": "present", "effect": "NO_SCHEDULE"}],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataRoot]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(NODES, PROCESSES)
        root = DataRoot(Path(tmp_path_factory.mktemp("gcp")))
        yield root
        for plane in control_plane.clusters(root):
            plane.remove()


@pytest.fixture
def driver(root: DataRoot) -> Driver:
    return Driver(GcpProvider(root)).configure(project="my-project", region="us-east5")


def test_every_type_that_is_only_typed_has_an_example() -> None:
    assert set(EXAMPLES) == {token for token, kind in TYPES.items() if kind.fidelity == "typed only"}


@pytest.mark.parametrize("token", EXAMPLES)
def test_a_record_lives_as_a_resource_does(driver: Driver, token: str) -> None:
    inputs = EXAMPLES[token]
    made = driver.create(token, "example", inputs)
    assert made.id
    assert "{" not in made.id
    found = driver.read(made)
    assert found is not None
    assert (found.inputs, found.outputs) == (made.inputs, made.outputs)
    assert changed(driver.diff(found, inputs)) == {}
    again = driver.create(token, "example", inputs)  # an interrupted run's is gone on with
    assert (again.id, again.outputs) == (made.id, made.outputs)
    with pytest.raises(Refused, match="exists already"):
        driver.create(token, "another", inputs)
    driver.delete(made)
    assert driver.read(made) is None
    driver.delete(made)


def test_what_is_changed_in_place_is_read_back_changed_and_what_cannot_be_is_replaced(driver: Driver) -> None:
    token, inputs = "gcp:compute/network:Network", EXAMPLES["gcp:compute/network:Network"]
    made = driver.create(token, "changing", {**inputs, "name": "changing"})
    new = {**inputs, "name": "changing", "routingMode": "GLOBAL"}
    assert changed(driver.diff(made, new)) == {"routingMode": "update"}
    updated = driver.update(made, new)
    found = driver.read(updated)
    assert found is not None
    assert found.outputs["routingMode"] == "GLOBAL"
    assert changed(driver.diff(made, {**inputs, "name": "other"})) == {"name": "update_replace"}
    driver.delete(updated)


def test_what_the_sdk_does_not_know_and_types_that_are_not_here_are_refused(driver: Driver) -> None:
    request = provider_pb2.CheckRequest(
        urn=urn_of("gcp:compute/network:Network", "net"), news=to_struct({"name": "net", "mtu": "big"})
    )
    (failure,) = driver.provider.Check(request, Context()).failures
    assert (failure.property, failure.reason) == ("mtu", "is 'big', and must be of the kind int")
    with pytest.raises(Refused, match="is not among the"):
        driver.create("gcp:storage/bucket:Bucket", "bucket", {"location": "US"})


def test_a_project_must_be_named(root: DataRoot) -> None:
    response = GcpProvider(root).CheckConfig(
        provider_pb2.CheckRequest(news=to_struct({"region": "us-east5"})), Context()
    )
    assert [failure.property for failure in response.failures] == ["project"]


def test_a_slice_is_nodes_of_a_real_cluster_and_what_has_died_is_drift(root: DataRoot, driver: Driver) -> None:
    driver.create(
        "gcp:compute/resourcePolicy:ResourcePolicy", "p", EXAMPLES["gcp:compute/resourcePolicy:ResourcePolicy"]
    )
    cluster = driver.create("gcp:container/cluster:Cluster", "cluster", {**CLUSTER, "deletionProtection": True})
    (plane,) = control_plane.clusters(root)
    endpoint = cluster.outputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"]
    assert f"https://{endpoint}" == plane.endpoint
    pool = driver.create("gcp:container/nodePool:NodePool", "pool", POOL)
    nodes = {node["metadata"]["name"]: node for node in plane.api().get("/api/v1/nodes")["items"]}
    assert set(nodes) == {"v5p-0-0", "v5p-0-1"}
    labels = nodes["v5p-0-0"]["metadata"]["labels"]
    assert labels["cloud.google.com/gke-tpu-topology"] == "2x2x2"
    assert (labels["topology.kubernetes.io/region"], labels["cloud.google.com/gke-nodepool"]) == ("us-east5", "v5p-0")
    assert nodes["v5p-0-0"]["spec"]["providerID"] == "gce:///us-east5-a/v5p-0-0"

    node_agent.stop(plane, "v5p-0-1")
    found = driver.read(pool)
    assert found is not None
    assert found.inputs["localStopped"] == "stopped: v5p-0-1"
    assert changed(driver.diff(found, POOL)) == {"localStopped": "delete"}
    driver.update(found, POOL)
    assert node_agent.running(plane, "v5p-0-1")

    plane.stop()
    found = driver.read(cluster)
    assert found is not None
    assert "kube-apiserver" in found.inputs["localStopped"]
    with pytest.raises(Refused, match="protected from deletion"):
        driver.delete(cluster)
    driver.update(found, CLUSTER)
    assert plane.running()
    driver.delete(pool)
    assert node_agent.list_nodes(plane) == []
    driver.delete(cluster)
    assert control_plane.clusters(root) == []
