"""Starting machines the unhappy ways: nothing that a kill, an error or a user leaves behind stays for good."""

from __future__ import annotations

import base64
import errno
import os
import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest

from local import networks
from local.control_plane import ControlPlane
from local.control_plane.ports import Place
from local.kube_api import KubeApi, Unreachable
from local.machines import container, joining, lifecycle, places, stock, user_data
from local.node_spec import NodeSpec
from local.paths import DataRoot, LocalCloudError
from local.podman import PodmanError
from local.processes import lock, wait_until

SPEC = NodeSpec("a-0", "a", "m7i.large", "eu-central-1a", 2, 8192, labels={"ai-datacenter/pool": "cpu"})
IMAGE = "localhost/aidc/train:1"
OTHER = NodeSpec("a-1", "a", "m7i.large", "eu-central-1b", 2, 8192)


@pytest.fixture
def plane(tmp_path: Path) -> ControlPlane:
    root = DataRoot(tmp_path / "datacenter")
    plane = ControlPlane("eu-central-1", "main", root.cluster("eu-central-1", "main"), Place("198.18.0.5", 20_000))
    for spec in (SPEC, OTHER):
        spec.write(plane.nodes_folder / spec.name)
    (plane.folder / networks.FILE).write_text('{"subnet": "198.18.16.0/20"}')
    return plane


class Cluster:
    """Stands in for the API server: the nodes that it has, and for each whether it is Ready."""

    def __init__(self, plane: ControlPlane, containers: Containers, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nodes: dict[str, bool] = {}
        self.joins = True
        self._containers = containers
        self._machine = container.name_of(plane, SPEC.name)
        monkeypatch.setattr(lifecycle, "is_known", lambda plane, name: name in self.nodes)
        monkeypatch.setattr(lifecycle, "_finds_names", lambda plane, name: True)
        monkeypatch.setattr(lifecycle, "is_ready", self._is_ready)

    def _is_ready(self, plane: ControlPlane, name: str) -> bool:
        if self.joins and self.boots and self._machine in self._containers.up:
            self.nodes[name] = True
        return self.nodes.get(name, False)

    @property
    def boots(self) -> int:
        """How many machines were started."""
        return sum(call.startswith("run") for call in self._containers.calls)


class Containers:
    """Stands in for podman: which containers run, what was asked of them, and which of that fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up: set[str] = set()
        self.executed: list[tuple[str, ...]] = []
        self.calls: list[str] = []
        self.failures: list[str] = []
        monkeypatch.setattr(container, "is_running", self.up.__contains__)
        monkeypatch.setattr(container, "execute", self._execute)
        monkeypatch.setattr(container, "remove", self._remove)
        monkeypatch.setattr(container, "podman", self._run)
        monkeypatch.setattr(container, "command", self._command)
        monkeypatch.setattr(container, "ensure_image", lambda: "image")
        monkeypatch.setattr(container, "await_others", lambda name: None)
        monkeypatch.setattr(container, "last_words", lambda name: "its last words")

    def _command(self, plane: ControlPlane, root: DataRoot, node: str, address: str, image: str) -> list[str]:
        return ["run", container.name_of(plane, node), address]

    def _execute(self, name: str, *arguments: str) -> str:
        if self.failures:
            raise PodmanError(self.failures.pop())
        self.executed.append((name, *arguments))
        return ""

    def _remove(self, name: str) -> None:
        self.calls.append("remove")
        self.up.discard(name)

    def _run(self, *arguments: str) -> str:
        self.calls.append(" ".join(arguments))
        if self.failures:
            raise PodmanError(self.failures.pop())
        self.up.add(arguments[1])
        return ""


@pytest.fixture
def containers(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Containers:
    for module, name in ((lifecycle, "forget"), (joining, "admit"), (joining, "forget_token"), (user_data, "write")):
        monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(joining, "new_token", lambda plane, node: "token")
    monkeypatch.setattr(stock, "fill", lambda folder: None)
    monkeypatch.setattr(stock, "store", lambda: Path("store"))
    monkeypatch.setattr(stock, "train_image", lambda folder: IMAGE)
    monkeypatch.setattr(stock, "_load", lambda machine: None)
    monkeypatch.setattr(lifecycle, "ensure_key", lambda path: "key")
    monkeypatch.setattr(joining, "has_token", lambda api, node: False)
    monkeypatch.setattr(networks, "settle", lambda folder: None)
    monkeypatch.setattr(lifecycle, "_label", lambda *_: None)
    monkeypatch.setattr(ControlPlane, "api", lambda self: None)
    return Containers(monkeypatch)


@pytest.fixture
def cluster(plane: ControlPlane, containers: Containers, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(plane, containers, monkeypatch)


def names_on(plane: ControlPlane, spec: NodeSpec) -> str:
    return (plane.nodes_folder / spec.name / "user-data" / user_data.IMAGES).read_text()


def test_images_that_an_error_left_unnamed_are_named_by_the_next_run(
    plane: ControlPlane, containers: Containers
) -> None:
    containers.up |= {container.name_of(plane, spec.name) for spec in (SPEC, OTHER)}
    containers.failures.append("the machine is busy")
    with pytest.raises(PodmanError):
        stock.provide(plane, ["registry/train:1"])
    assert containers.executed == []
    stock.provide(plane, ["registry/train:1"])
    assert {call[0] for call in containers.executed} == containers.up
    assert stock.names_of(plane) == {"registry/train:1": IMAGE}
    assert names_on(plane, OTHER) == f"{IMAGE} registry/train:1\n"


def test_images_that_are_named_are_not_named_again(plane: ControlPlane, containers: Containers) -> None:
    containers.up.add(container.name_of(plane, SPEC.name))
    stock.provide(plane, ["registry/train:1"])
    stock.provide(plane, ["registry/train:1"])
    assert len(containers.executed) == 1


def test_a_new_machine_waits_for_names_that_are_being_given(plane: ControlPlane, containers: Containers) -> None:
    with lock(plane.nodes_folder / ".images.lock"):
        starting = threading.Thread(
            target=lifecycle._replace, args=(plane, SPEC, plane.nodes_folder / SPEC.name), daemon=True
        )
        starting.start()
        assert wait_until(lambda: places.of(plane, SPEC.name) is not None, 5.0)
        starting.join(0.1)
        assert not [call for call in containers.calls if call.startswith("run")]
        (plane.folder / "images.json").write_text(f'{{"registry/train:2": "{IMAGE}"}}')
    starting.join(5.0)
    assert names_on(plane, SPEC) == f"{IMAGE} registry/train:2\n"


def test_a_machine_that_is_being_started_gets_the_new_names_too(plane: ControlPlane, containers: Containers) -> None:
    stock.provide(plane, ["registry/train:1"])
    assert names_on(plane, SPEC) == f"{IMAGE} registry/train:1\n"
    assert containers.executed == []


def test_a_machine_gets_another_address_when_podman_holds_its_own(plane: ControlPlane, containers: Containers) -> None:
    containers.failures.append("IPAM error: requested ip address 198.18.16.2 is already allocated")
    lifecycle._replace(plane, SPEC, plane.nodes_folder / SPEC.name)
    first, second = [call for call in containers.calls if call.startswith("run")]
    assert (first.split()[2], second.split()[2]) == ("198.18.16.2", "198.18.16.3")
    between = containers.calls[containers.calls.index(first) + 1 : containers.calls.index(second)]
    assert between == ["remove"]  # podman keeps the container that it could not start


def test_a_machine_whose_node_was_deleted_is_dead_and_the_next_run_replaces_it_at_once(
    plane: ControlPlane, containers: Containers, cluster: Cluster
) -> None:
    containers.up.add(container.name_of(plane, SPEC.name))
    assert not lifecycle.running(plane, SPEC.name)
    begun = time.monotonic()
    lifecycle.start(plane, SPEC, wait_s=30.0)
    assert time.monotonic() - begun < 10.0
    assert cluster.boots == 1
    assert lifecycle.running(plane, SPEC.name)


def test_a_machine_that_is_still_joining_is_given_its_time(
    plane: ControlPlane, containers: Containers, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers.up.add(container.name_of(plane, SPEC.name))
    monkeypatch.setattr(joining, "has_token", lambda api, node: True)
    timer = threading.Timer(0.3, lambda: cluster.nodes.update({SPEC.name: True}))
    timer.start()
    lifecycle.start(plane, SPEC, wait_s=5.0)
    assert cluster.boots == 0


def test_a_machine_that_ran_and_is_not_ready_in_time_is_replaced(
    plane: ControlPlane, containers: Containers, cluster: Cluster
) -> None:
    containers.up.add(container.name_of(plane, SPEC.name))
    cluster.nodes[SPEC.name] = False
    lifecycle.start(plane, SPEC, wait_s=0.2)
    assert cluster.boots == 1


def test_a_machine_whose_pods_find_no_names_is_dead_whatever_its_kubelet_says_and_is_replaced(
    plane: ControlPlane, containers: Containers, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers.up.add(container.name_of(plane, SPEC.name))
    cluster.nodes[SPEC.name] = True
    monkeypatch.setattr(lifecycle, "_finds_names", lambda plane, name: cluster.boots > 0)
    assert not lifecycle.running(plane, SPEC.name)
    lifecycle.start(plane, SPEC, wait_s=0.2)
    assert cluster.boots == 1
    assert lifecycle.running(plane, SPEC.name)


def test_a_machine_that_stops_while_it_is_awaited_is_replaced(
    plane: ControlPlane, containers: Containers, cluster: Cluster
) -> None:
    name = container.name_of(plane, SPEC.name)
    containers.up.add(name)
    cluster.nodes[SPEC.name] = False

    def stop() -> None:
        containers.up.discard(name)
        cluster.nodes[SPEC.name] = True  # as the API server has it until it misses the heartbeats

    threading.Timer(0.3, stop).start()
    lifecycle.start(plane, SPEC, wait_s=5.0)
    assert cluster.boots == 1


def test_a_machine_is_replaced_once_and_then_its_last_words_are_told(
    plane: ControlPlane, containers: Containers, cluster: Cluster
) -> None:
    containers.up.add(container.name_of(plane, SPEC.name))
    cluster.nodes[SPEC.name] = cluster.joins = False
    with pytest.raises(LocalCloudError, match=r"(?s)is not Ready after 0 s.*its last words"):
        lifecycle.start(plane, SPEC, wait_s=0.2)
    assert cluster.boots == 1


def test_a_machine_runs_as_far_as_can_be_seen_while_its_cluster_cannot_be_asked(
    plane: ControlPlane, containers: Containers, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers.up.add(container.name_of(plane, SPEC.name))

    def unreachable(plane: ControlPlane) -> KubeApi:
        raise Unreachable("it restarts")

    monkeypatch.setattr(ControlPlane, "api", unreachable)
    assert lifecycle.running(plane, SPEC.name)


class Secrets:
    """Stands in for the API server: one secret, or none."""

    def __init__(self, expires: str | None) -> None:
        self._expires = expires

    def find(self, path: str) -> dict[str, Any] | None:
        if self._expires is None:
            return None
        return {"data": {"expiration": base64.b64encode(self._expires.encode()).decode()}}


@pytest.mark.parametrize(
    ("expires", "joins"), [(None, False), ("2020-01-01T00:00:00Z", False), ("2999-01-01T00:00:00Z", True)]
)
def test_a_machine_may_join_while_its_token_lasts(expires: str | None, joins: bool) -> None:
    assert joining.has_token(cast(KubeApi, Secrets(expires)), SPEC.name) == joins


@pytest.mark.parametrize("where", ["a file", "the folder"])
def test_an_image_that_cannot_be_copied_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    store = tmp_path / "store"
    (store / "containerd").mkdir(parents=True)
    (store / "containerd/meta.db").write_text("records")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(stock, "store", lambda: store)
    monkeypatch.setattr("shutil.copy2" if where == "a file" else "os.makedirs", full)
    with pytest.raises(LocalCloudError, match=r"No space left on device.*run again") as refused:
        stock.fill(tmp_path / "machine")
    assert "[(" not in str(refused.value)
