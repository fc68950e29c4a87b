"""Teams, quotas, priorities and queues are objects that a real API server takes, by the schemas of Kueue's release."""

from __future__ import annotations

from typing import Any

import pytest

from components import kueue
from local.control_plane import ControlPlane
from local.paths import DataRoot
from tests.components.mocks import Cloud
from tests.components.test_scheduling import declared

from .conftest import Client, new_client, objects_of, serve, urn_of
from .releases import definitions

pytestmark = pytest.mark.real
MODULE, DIGEST = "sigs.k8s.io/kueue@v0.17.0", "h1:7hzb38M4eKGzYW+CFv2s1L+swzzacUCHOCXxZmAV90I="
PLURALS = {
    "Topology": "topologies", "ResourceFlavor": "resourceflavors", "Cohort": "cohorts", "ClusterQueue": "clusterqueues",
    "WorkloadPriorityClass": "workloadpriorityclasses",
}  # fmt: skip
BASES = "config/components/crd/bases"
FILES = [f"{BASES}/kueue.x-k8s.io_{plural}.yaml" for plural in (*PLURALS.values(), "localqueues")]


@pytest.fixture(scope="module")
def with_kueue(plane: ControlPlane) -> ControlPlane:
    """The control plane with Kueue's kinds, and nothing that acts on them."""
    serve(plane, definitions(MODULE, DIGEST, FILES))
    return plane


def objects(cloud: Cloud) -> list[tuple[str, str, dict[str, Any]]]:
    """Token, name and inputs of everything in Kubernetes, in the order of declaration."""
    return sorted(objects_of(cloud), key=lambda one: "LocalQueue" in one[0])


def stand(client: Client, made: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Each is made, then found as it was declared. They go with the control plane: a namespace takes 5 s to end."""
    for token, name, inputs in made:
        urn = urn_of(token, name)
        checked = client.check(urn, inputs)
        id, outputs = client.create(urn, checked)
        assert not client.diff(urn, id, outputs, checked, checked).diffs


@pytest.fixture(scope="module")
def teams(real_root: DataRoot, plane: ControlPlane) -> list[tuple[str, str, dict[str, Any]]]:
    """What is declared without Kueue, standing on a bare API server."""
    made = objects(declared())
    stand(new_client(real_root, plane), made)
    return made


def test_without_kueue_everything_stands_on_a_bare_api_server(teams: list[Any], plane: ControlPlane) -> None:
    each = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "NetworkPolicy")
    assert len(teams) == 2 + len(each) * 2
    found = plane.api().get("/api/v1/namespaces/vision/resourcequotas/team")
    assert found["spec"]["hard"]["requests.nvidia.com/gpu"] == "16"


def test_kueue_s_schemas_know_every_field_and_value(with_kueue: ControlPlane) -> None:
    checked = 0
    for token, _, inputs in objects(declared(kueue="0.17", topology=True)):
        kind = token.rpartition(":")[2]
        if kind in PLURALS:
            path = f"/apis/{kueue.API}/{PLURALS[kind]}?dryRun=All&fieldValidation=Strict"
            assert with_kueue.api().create(path, inputs)["metadata"]["name"] == inputs["metadata"]["name"]
            checked += 1
    assert checked == 1 + 3 + 1 + 2 + 2


def test_with_kueue_s_kinds_queues_stand_too(client: Client, with_kueue: ControlPlane, teams: list[Any]) -> None:
    queued = objects(declared(kueue="0.17", topology=True))
    stand(client, [one for one in queued if "kueue" in one[0]])
    found = with_kueue.api().get(f"/apis/{kueue.API}/namespaces/vision/localqueues/{kueue.LOCAL_QUEUE}")
    assert found["spec"]["clusterQueue"] == "vision"
