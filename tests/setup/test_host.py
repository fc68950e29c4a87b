"""Whether machines can run is told from facts of the host, each with its own sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from setup.host import PROCESSES, Host, _maps_identically, effective_capabilities

ABLE = Host(wanted="", uid=0, capabilities=-1, missing=(), installs=True)


def test_a_root_with_all_that_is_needed_can() -> None:
    assert ABLE.obstacle() is None


def test_packages_that_can_be_installed_are_no_refusal_but_an_obstacle_until_then() -> None:
    host = replace(ABLE, missing=("podman", "netavark"))
    assert host.refusal() is None
    assert host.obstacle() == "not installed: podman, netavark (`make setup-machines` does it)"


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
