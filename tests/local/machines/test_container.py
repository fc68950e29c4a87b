"""How a machine is started: all that is of it carries our names, so that nothing of it can be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import networks, podman
from local.control_plane import ControlPlane
from local.control_plane.ports import Place
from local.machines import container, lifecycle, places, stock
from local.node_spec import NodeSpec
from local.paths import DataRoot, LocalCloudError


@pytest.fixture
def plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("kubelet", "kube-proxy", "coredns"):
        (programs / name).touch()
    monkeypatch.setenv("AI_DATACENTER_BIN", str(programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return other_plane(tmp_path, "eu-central-1")


def other_plane(folder: Path, region: str) -> ControlPlane:
    root = DataRoot(folder / "datacenter")
    return ControlPlane(region, "main", root.cluster(region, "main"), Place("198.18.0.5", 20_000))


def started(plane: ControlPlane, node: str = "main-cpu-0") -> list[str]:
    root = DataRoot(plane.folder.parent.parent)
    return container.command(plane, root, node, "198.18.16.2", "localhost/aidc-machine:1")


def test_a_machine_is_found_by_its_labels_when_every_file_is_lost(plane: ControlPlane) -> None:
    command = started(plane)
    assert f"--label={podman.ROOT_LABEL}={plane.folder.parent.parent}" in command
    assert f"--label={container.NODE_LABEL}=main-cpu-0" in command


def test_everything_is_named_as_ours(plane: ControlPlane) -> None:
    assert container.name_of(plane, "main-cpu-0").startswith("aidc-")
    assert networks.name_of(plane.folder).startswith("aidc-")


def test_two_clusters_with_the_same_names_share_no_container_and_no_network(
    plane: ControlPlane, tmp_path: Path
) -> None:
    other = other_plane(tmp_path, "us-east-1")
    assert container.name_of(plane, "main-cpu-0") != container.name_of(other, "main-cpu-0")
    assert networks.name_of(plane.folder) != networks.name_of(other.folder)


def test_a_machine_has_its_own_network_and_control_groups_and_not_the_hosts(plane: ControlPlane) -> None:
    command = started(plane)
    assert f"--network={networks.name_of(plane.folder)}" in command
    assert "--cgroupns=private" in command
    assert not any("host" in part for part in command if part.startswith(("--network", "--pid", "--ipc", "--uts")))


def test_a_machine_cannot_write_what_it_is_told_nor_the_programs_it_runs(plane: ControlPlane) -> None:
    volumes = [part for part in started(plane) if part.startswith("--volume=")]
    writable = [part for part in volumes if not part.endswith(":ro")]
    assert sorted(part.rpartition(":")[2] for part in writable) == [
        "/var/cache/ai-datacenter/jax", "/var/lib/containerd", "/var/lib/kubelet"
    ]  # fmt: skip


def test_a_name_longer_than_a_host_may_have_is_cut_for_the_host_only(plane: ControlPlane) -> None:
    command = started(plane, "n" * 65)
    (host,) = [part for part in command if part.startswith("--hostname=")]
    assert len(host.removeprefix("--hostname=")) <= 63


def test_limits_are_never_above_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda which: (1024, 4096))
    assert "--ulimit=nofile=4096:4096" in podman.boot_flags()
    assert "--ulimit=nproc=4096:4096" in podman.boot_flags()


def test_podmans_own_words_reach_the_reader_without_its_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warning = 'time=\\"now\\" level=warning msg=\\"net_cls\\"'
    script = f'#!/bin/sh\nprintf "{warning}\\nError: no such image\\n" >&2\nexit 125\n'
    program = tmp_path / "podman"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(podman.PodmanError, match=r"`podman run --detach` failed: no such image$"):
        podman.podman("run", "--detach", "x")


def test_a_podman_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(podman.PodmanError, match="make doctor"):
        podman.podman("ps")


def test_labels_taints_and_tags_change_in_place_and_a_type_does_not() -> None:
    spec = NodeSpec("a-0", "a", "m7i.large", "eu-central-1a", 2, 8192)
    assert lifecycle._is_same_machine(spec, NodeSpec(**{**vars(spec), "labels": {"a": "b"}, "tags": {"c": "d"}}))
    assert not lifecycle._is_same_machine(spec, NodeSpec(**{**vars(spec), "instance_type": "m7i.xlarge"}))
    assert not lifecycle._is_same_machine(spec, NodeSpec(**{**vars(spec), "zone": "eu-central-1b"}))


def test_machines_get_the_workload_without_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store" / "containerd"
    (store / "overlay/snapshots/1/fs").mkdir(parents=True)
    (store / "overlay/snapshots/1/fs/python").write_text("program")
    (store / "overlay/snapshots/1/fs/link").symlink_to("python")
    (store / "meta.db").write_text("records")
    monkeypatch.setattr(stock, "store", lambda: store.parent)
    stock.fill(tmp_path / "machine")
    copied = tmp_path / "machine"
    assert (copied / "overlay/snapshots/1/fs/python").samefile(store / "overlay/snapshots/1/fs/python")
    assert (copied / "overlay/snapshots/1/fs/link").is_symlink()
    assert not (copied / "meta.db").samefile(store / "meta.db")  # the machine writes it


def test_an_address_that_podman_has_lost_is_never_tried_again(plane: ControlPlane) -> None:
    NodeSpec("a-0", "a", "m7i.large", "eu-central-1a", 2, 8192).write(plane.nodes_folder / "a-0")
    (plane.folder / networks.FILE).write_text('{"subnet": "198.18.16.0/20"}')
    assert places.ensure(plane, "a-0") == places.ensure(plane, "a-0") == "198.18.16.2"
    places.give_up(plane, "a-0", "198.18.16.2")
    assert places.of(plane, "a-0") is None
    assert places.ensure(plane, "a-0") == "198.18.16.3"


def test_two_machines_have_two_addresses_and_a_full_cluster_is_a_sentence(plane: ControlPlane) -> None:
    plane.folder.mkdir(parents=True)
    (plane.folder / networks.FILE).write_text('{"subnet": "198.18.16.0/20"}')
    for number in range(33):
        NodeSpec(f"a-{number}", "a", "m7i.large", "eu-central-1a", 2, 8192).write(plane.nodes_folder / f"a-{number}")
        if number < 32:
            places.ensure(plane, f"a-{number}")
    assert len({places.of(plane, f"a-{number}") for number in range(32)}) == 32
    with pytest.raises(LocalCloudError, match="lower the pools' desired_size"):
        places.ensure(plane, "a-32")
