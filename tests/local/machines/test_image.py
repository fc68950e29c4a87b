"""What machines start from leaves the host as it is."""

from __future__ import annotations

import configparser
import os
import subprocess
from pathlib import Path

import pytest

from local.paths import CHECKOUT
from setup.images import _UNITS, OVERLAY

IMAGE = CHECKOUT / OVERLAY
KUBELETS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What the kubelet of 1.34 sets, in its container manager's `setupKernelTunables`."""


def test_the_kubelet_finds_what_it_wants_in_files_over_the_settings_of_the_hosts_kernel(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/mounts\n')
    mount.chmod(0o755)
    files = tmp_path / "run"
    files.mkdir()
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "RUNTIME_DIRECTORY": str(files)}
    subprocess.run([IMAGE / "usr/local/sbin/keep-kernel-settings"], env=environment, check=True)
    mounted = [line.split() for line in (tmp_path / "mounts").read_text().splitlines()]
    found = {target.removeprefix("/proc/sys/"): Path(file).read_text().strip() for _, file, target in mounted}
    assert found == KUBELETS


def test_no_kubelet_starts_before_they_are_there() -> None:
    unit = (IMAGE / "etc/systemd/system/kubelet.service").read_text().splitlines()
    for what in ("After=", "Requires="):
        (line,) = [line for line in unit if line.startswith(what)]
        assert "kernel-settings.service" in line


@pytest.mark.parametrize("service", _UNITS)
def test_systemd_never_gives_a_service_of_the_node_up(service: str) -> None:
    unit = configparser.ConfigParser(strict=False, delimiters="=", interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(IMAGE / "etc/systemd/system" / f"{service}.service")
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
