"""Each program of examples/components comes up where a team has a zone and a cluster, and has nothing to change then.

Some preview only: smoke tests wait for nodes that train, Karpenter's pools are of kinds that Karpenter brings, and a
second real control plane for TPUs takes as long as all the others (tests/end_to_end/test_examples.py starts one).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from local import control_plane, moto
from local.aws.provider import AwsProvider, account_of
from local.engine import CollectingDisplay, Engine, load_project
from local.engine.store.store import StateStore
from local.gcp.provider import GcpProvider
from local.kubernetes import KubernetesProvider
from local.paths import DataRoot
from tests.local.engine.conftest import SECRETS, changed
from tests.local.kubernetes.conftest import kubeconfig_for

from .test_components import CONFIG, HERE, PROGRAMS

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

PREVIEWED = ("gke", "karpenter_pools", "smoke_test", "tpu_pool", "tpu_smoke_test")


@dataclass
class Team:
    """An account with what a team has in it; each program is a stack of its own."""

    folder: Path
    config: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def root(self) -> DataRoot:
        return DataRoot(self.folder / "datacenter")

    def engine(self, name: str) -> Engine:
        project = replace(load_project(HERE, name), config={**CONFIG, **self.config, "own-program:component": name})
        providers = {
            "aws": lambda: AwsProvider(self.root),
            "gcp": lambda: GcpProvider(self.root),
            "kubernetes": lambda: KubernetesProvider(self.root),
        }
        store = StateStore(self.folder / "state", project.name, name, SECRETS)
        return Engine(project, store, providers, CollectingDisplay())

    def up(self, name: str) -> None:
        result = self.engine(name).up()
        assert not result.errors, result.errors
        assert result.changes["create"] > 1


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The cluster is that of the program that makes one."""
    team = Team(tmp_path_factory.mktemp("team"))
    route53 = account_of(team.root).at("us-east-1")
    zone = route53.call("route53", "create_hosted_zone", Name="example.org", CallerReference="t")["HostedZone"]["Id"]
    team.config["own-program:zone_id"] = zone.rpartition("/")[2]
    try:
        team.up("cluster")
        (plane,) = control_plane.clusters(team.root)
        team.config["kubernetes:kubeconfig"] = kubeconfig_for(plane.endpoint)
        yield team
    finally:
        for plane in control_plane.clusters(team.root):
            plane.remove()
        moto.stop(team.root)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in PREVIEWED])
def test_a_program_comes_up_beside_all_others_and_leaves_nothing_to_change(team: Team, name: str) -> None:
    if name != "cluster":
        team.up(name)
    again = team.engine(name).preview()
    assert not again.errors, again.errors
    assert changed(again) == {}


@pytest.mark.parametrize("name", PREVIEWED)
def test_what_waits_for_what_is_not_here_says_what_it_would_make(team: Team, name: str) -> None:
    planned = team.engine(name).preview()
    assert not planned.errors, planned.errors
    assert planned.changes["create"] > 3
