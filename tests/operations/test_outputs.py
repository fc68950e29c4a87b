"""A data root may hold several stacks: each is told of by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import control_plane
from local.control_plane.ports import Place
from local.engine.store import ResourceState
from local.paths import DataRoot
from operations.outputs import own_clusters
from operations.session import open_store
from operations.status import collect
from operations.workplace import Output, Workplace

EKS, GKE = "aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster"


def plane(name: str, port: int) -> control_plane.ControlPlane:
    return control_plane.ControlPlane("us-east-1", name, Path("/nowhere"), Place("127.0.0.1", port))


def state(kind: str, endpoint: str) -> ResourceState:
    urn = f"urn:pulumi:local::ai-datacenter::{kind}::cluster"
    return ResourceState(urn=urn, type=kind, custom=True, id="cluster", outputs={"endpoint": endpoint})


@pytest.mark.usefixtures("quick_keys")
def test_a_stack_has_the_clusters_of_its_own_state_and_no_others(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, slices, others = plane("mine", 20_000), plane("slices", 20_010), plane("others", 20_020)
    monkeypatch.setattr(control_plane, "clusters", lambda root: [others, mine, slices])
    place = Workplace("local", Output.TEXT, DataRoot(data_root))
    assert own_clusters(place) == []
    put = [state(EKS, mine.endpoint), state(GKE, slices.endpoint.removeprefix("https://"))]
    store = open_store(place)
    with store.lock("up"), store.journal(store.open()) as journal:
        journal.record(put=put)
        store.commit(journal.snapshot())
    assert own_clusters(place) == [mine, slices]
    assert [one["name"] for one in collect(place)["control_planes"]] == ["mine", "slices"]
    assert collect(place)["other_control_planes"] == ["others"]
    assert collect(Workplace("prod", Output.TEXT, DataRoot(data_root)))["control_planes"] == []
