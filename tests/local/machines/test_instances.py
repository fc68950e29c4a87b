"""Machines that are no nodes: started once, found with their tags, mended with the same address, and gone for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import networks
from local.control_plane import ControlPlane
from local.control_plane.ports import Place
from local.machines import container, instances, lifecycle, places
from local.machines.instances import Instance
from local.node_spec import NodeSpec
from local.paths import DataRoot, LocalCloudError

SERVER = Instance("server", "i-1", "m7i.large", "eu-central-1a", {"Name": "server"})
NODE = NodeSpec("a-0", "a", "m7i.large", "eu-central-1a", 2, 8192)


@pytest.fixture
def plane(tmp_path: Path) -> ControlPlane:
    root = DataRoot(tmp_path / "datacenter")
    plane = ControlPlane("eu-central-1", "main", root.cluster("eu-central-1", "main"), Place("198.18.0.5", 20_000))
    NODE.write(plane.nodes_folder / NODE.name)
    (plane.folder / networks.FILE).write_text('{"subnet": "198.18.16.0/20"}')
    return plane


@pytest.fixture
def up(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Stands in for podman: what runs, with the arguments that it was started with."""
    running: dict[str, list[str]] = {}

    def podman(*arguments: str) -> str:
        name = next(one for one in arguments if one.startswith("--name=")).removeprefix("--name=")
        running[name] = list(arguments)
        return ""

    monkeypatch.setattr(container, "podman", podman)
    monkeypatch.setattr(container, "is_running", running.__contains__)
    monkeypatch.setattr(container, "remove", lambda name: running.pop(name, None))
    monkeypatch.setattr(container, "await_others", lambda name: None)
    monkeypatch.setattr(container, "ensure_image", lambda: "image")
    monkeypatch.setattr(networks, "settle", lambda folder: None)
    monkeypatch.setattr(instances, "_answers", lambda address: True)
    return running


def test_it_is_started_once_with_nothing_of_kubernetes(plane: ControlPlane, up: dict[str, list[str]]) -> None:
    instances.start(plane, SERVER)
    (arguments,) = up.values()
    instances.start(plane, SERVER)
    assert list(up.values()) == [arguments]
    volumes = [one for one in arguments if one.startswith("--volume=")]
    own, kept = volumes
    assert own.endswith("/server/user-data:/etc/ai-datacenter:ro")
    assert kept.endswith("/server/prometheus:/var/lib/prometheus")
    given = {path.name for path in (plane.nodes_folder / "server" / "user-data").iterdir()}
    assert "kubelet.yaml" not in given
    assert {"authorized_keys", "ssh_host_ed25519_key"} <= given


def test_it_is_no_node_and_shares_no_address_with_one(plane: ControlPlane, up: dict[str, list[str]]) -> None:
    own = places.ensure(plane, NODE.name)
    instances.start(plane, SERVER)
    assert lifecycle.list_nodes(plane) == [NODE]
    assert instances.list_instances(plane) == [SERVER]
    assert instances.address(plane, "server") not in (None, own)
    NodeSpec("a-1", "a", "m7i.large", "eu-central-1a", 2, 8192).write(plane.nodes_folder / "a-1")
    assert places.ensure(plane, "a-1") not in (own, instances.address(plane, "server"))


def test_one_that_died_comes_back_with_its_address_and_what_it_has_measured(
    plane: ControlPlane, up: dict[str, list[str]]
) -> None:
    instances.start(plane, SERVER)
    before = instances.address(plane, "server")
    (plane.nodes_folder / "server" / "prometheus" / "measured").write_text("x")
    up.clear()
    assert not instances.running(plane, "server")
    instances.start(plane, SERVER)
    assert instances.running(plane, "server")
    assert instances.address(plane, "server") == before
    assert (plane.nodes_folder / "server" / "prometheus" / "measured").read_text() == "x"


def test_new_tags_are_written_down_and_start_nothing(plane: ControlPlane, up: dict[str, list[str]]) -> None:
    instances.start(plane, SERVER)
    (arguments,) = up.values()
    tagged = Instance("server", "i-1", "m7i.large", "eu-central-1a", {"Name": "server", "team": "x"})
    instances.start(plane, tagged)
    assert instances.list_instances(plane) == [tagged]
    assert list(up.values()) == [arguments]


def test_what_a_kill_left_before_the_container_was_there_is_started_by_the_next_run(
    plane: ControlPlane, up: dict[str, list[str]]
) -> None:
    SERVER.write(plane.nodes_folder / "server")
    instances.start(plane, SERVER)
    assert instances.running(plane, "server")


def test_nothing_is_left_of_one_that_is_stopped(plane: ControlPlane, up: dict[str, list[str]]) -> None:
    instances.start(plane, SERVER)
    instances.stop(plane, "server")
    instances.stop(plane, "server")
    assert up == {}
    assert instances.list_instances(plane) == []
    assert not list(plane.nodes_folder.glob("*server*"))


def test_one_that_lets_nobody_in_is_told_with_what_to_do(
    plane: ControlPlane, up: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instances, "_answers", lambda address: False)
    with pytest.raises(LocalCloudError, match=r"does not let anybody in at 198\.18\.\d+\.\d+:22.*journalctl"):
        instances.start(plane, SERVER, wait_s=0.0)
