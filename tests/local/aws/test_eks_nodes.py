"""A node group is as it is declared, whether or not the machine that watches its nodes can be told of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from local import configuration, control_plane, nodes
from local.aws import eks_nodes
from local.aws.cloud import Cloud, ServiceError
from local.node_spec import NodeSpec
from local.paths import DataRoot, LocalCloudError


class Carrier:
    """Stands in for machines: the names of those that run."""

    def __init__(self) -> None:
        self.up = {"g-1": spec("g-1")}

    def list_nodes(self, plane: Any, group: str) -> list[NodeSpec]:
        return list(self.up.values())

    def running(self, plane: Any, name: str) -> bool:
        return name in self.up

    def start(self, plane: Any, one: NodeSpec) -> None:
        self.up[one.name] = one

    def stop(self, plane: Any, name: str) -> None:
        del self.up[name]


def spec(name: str) -> NodeSpec:
    return NodeSpec(name, "g", "m7i.large", "us-east-1a", 2, 8192)


@pytest.mark.parametrize("error", [LocalCloudError("server: unreachable"), ServiceError("NoSuchKey", "no archive")])
def test_a_sick_watcher_is_a_warning_and_no_failure_of_the_group(
    root: DataRoot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    carrier = Carrier()
    monkeypatch.setattr(nodes, "of", lambda plane: carrier)
    monkeypatch.setattr(control_plane, "ensure", lambda *_: "plane")
    monkeypatch.setattr(eks_nodes, "plane_of", lambda *_: "plane")
    monkeypatch.setattr(eks_nodes, "_specs", lambda *_: [spec("g-0")])
    monkeypatch.setattr(configuration, "configure_joined", lambda *_: None)
    monkeypatch.setattr(configuration, "tell_of_nodes", refuse)
    cloud = cast(Cloud, SimpleNamespace(account=SimpleNamespace(root=root), region="us-east-1"))
    eks_nodes.converge(cloud, "dc", "g", {})
    assert list(carrier.up) == ["g-0"]
    assert str(error) in caplog.text
    eks_nodes.remove(cloud, "dc", "g")
    assert not carrier.up
    assert len(caplog.records) == 2
