"""Whether machines can run is told from facts of the host, each with its own sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from setup import packages
from setup.children import Children, CommandFailed
from setup.host import MACHINES, PROCESSES, Host, _maps_identically, effective_capabilities
from setup.step import SetupError, Site

ABLE = Host(wanted="", uid=0, capabilities=-1, missing=(), installs=True)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "cache", tmp_path, Children())


def test_a_root_with_all_that_is_needed_can() -> None:
    assert ABLE.obstacle() is None


def test_packages_that_can_be_installed_are_no_refusal_but_an_obstacle_until_then() -> None:
    host = replace(ABLE, missing=("podman", "netavark"))
    assert host.refusal() is None
    assert host.obstacle() == "not installed: podman, netavark (`make setup` does it)"


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        (replace(ABLE, uid=1000), "ordinary user"),
        (replace(ABLE, capabilities=0xA80425FB), "lacks CAP_SYS_ADMIN, CAP_NET_ADMIN"),  # a Docker container's
        (replace(ABLE, is_hosts=False), "root is one of a user namespace"),
        (replace(ABLE, missing=("podman",), installs=False), "no apt-get"),
        (replace(ABLE, wanted=PROCESSES), "says so"),
    ],
)
def test_what_stands_in_the_way_is_said(host: Host, sentence: str) -> None:
    assert sentence in str(host.refusal())


def test_the_kernels_own_words_are_understood() -> None:
    assert effective_capabilities("Name:\tx\nCapEff:\t000001fffeffffff\nCapBnd:\t0\n") == 0x1FFFEFFFFFF
    assert effective_capabilities("") == 0


@pytest.mark.parametrize(
    ("uid_map", "is_hosts"),
    [
        ("         0          0 4294967295\n", True),
        ("         0       1000          1\n", False),  # unshare --map-root-user
        ("         0       1000          1\n         1     100000      65536\n", False),  # rootless podman
        ("         0          0      65536\n", False),
    ],
)
def test_a_root_whose_user_ids_are_not_the_hosts_is_recognised(tmp_path: Path, uid_map: str, is_hosts: bool) -> None:
    (tmp_path / "uid_map").write_text(uid_map)
    assert _maps_identically(tmp_path / "uid_map") is is_hosts


def test_a_kernel_without_user_namespaces_has_only_the_hosts_user_ids(tmp_path: Path) -> None:
    assert _maps_identically(tmp_path / "uid_map")


def test_an_ordinary_user_is_asked_for_nothing(site: Site) -> None:
    assert packages.prepare(replace(ABLE, uid=1000, missing=("podman",)), site) is False


def test_machines_that_are_asked_for_and_cannot_be_stop_the_set_up(site: Site) -> None:
    with pytest.raises(SetupError, match="machines need root"):
        packages.prepare(replace(ABLE, uid=1000, wanted=MACHINES), site)


def test_what_is_missing_is_installed_and_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(site.children, "run", lambda argv, *_, **__: ran.append(list(argv)))
    assert packages.prepare(replace(ABLE, missing=("podman", "runc")), site)
    assert [command[-1] for command in ran] == ["update", "runc"]
    assert ran[1][-2:] == ["podman", "runc"]
    assert "apt-get install podman runc" in capsys.readouterr().err
    assert packages.prepare(ABLE, site)
    assert len(ran) == 2


def test_an_installation_that_fails_leaves_processes_unless_machines_are_asked_for(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise CommandFailed("`apt-get update` ended with status 100")

    monkeypatch.setattr(site.children, "run", fail)
    host = replace(ABLE, missing=("podman",))
    assert packages.prepare(host, site) is False
    assert "Nodes will be processes: what machines need could not be installed: `apt-get" in capsys.readouterr().err
    with pytest.raises(SetupError, match="could not be installed"):
        packages.prepare(replace(host, wanted=MACHINES), site)
