"""A cluster's network goes with all that it has put on this host."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import networks
from local.iproute import interfaces_with, ip
from local.paths import DataRoot


@pytest.mark.hosts
def test_the_bridge_that_a_killed_podman_has_forgotten_goes_with_its_network(tmp_path: Path) -> None:
    folder = tmp_path / "clusters" / "us-east-1.main"
    folder.mkdir(parents=True)
    network = networks.ensure(DataRoot(tmp_path), folder)
    bridge = f"aidc-t{networks.name_of(folder)[-6:]}"
    ip("link", "add", bridge, "type", "bridge")
    ip("address", "add", f"{network.gateway}/{network.subnet.prefixlen}", "dev", bridge)
    assert interfaces_with(str(network.gateway)) == [bridge]

    networks.remove(networks.name_of(folder))

    assert interfaces_with(str(network.gateway)) == []


@pytest.mark.hosts
def test_a_removal_that_is_killed_at_its_end_is_done_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "clusters" / "us-east-1.main"
    folder.mkdir(parents=True)
    network, name = networks.ensure(DataRoot(tmp_path), folder), networks.name_of(folder)
    bridge = f"aidc-u{name[-6:]}"
    ip("link", "add", bridge, "type", "bridge")
    ip("address", "add", f"{network.gateway}/{network.subnet.prefixlen}", "dev", bridge)

    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(networks, "interfaces_with", killed)
        with pytest.raises(KeyboardInterrupt):
            networks.remove(name)
    networks.remove(name)

    assert interfaces_with(str(network.gateway)) == []
    assert networks.names_of(DataRoot(tmp_path)) == []
