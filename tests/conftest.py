"""What every test may count on: a data root of its own, and no way to reach anything but this machine."""

from __future__ import annotations

import gc
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

# A test that forgot to say which cloud it means reaches nobody: the credentials are fake and no profile is read.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
)
os.environ.pop("AWS_PROFILE", None)
# Processes are the fast vehicle, and the same on every machine; the tests of machines ask for machines.
os.environ["AI_DATACENTER_NODES"] = "processes"
# What a test leaves is little beside what JAX and the SDKs keep for good: to look through all of it as often as Python
# does by default took a fifth of the time.
gc.set_threshold(50_000, 20, 50)
# How long an example takes is no promise, and beside other work it is more than the 200 ms that Hypothesis allows.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine lacks the parts for."""
    from local.paths import LocalCloudError, binary
    from local.vehicle import obstacle
    from setup.host import Host

    try:
        for name in CONTROL_PLANE:
            binary(name)
        unbuilt = None
    except LocalCloudError as error:
        unbuilt = str(error)
    machineless = obstacle(replace(Host.here(), wanted=""))
    for item in items:
        if machineless and item.get_closest_marker("hosts"):
            item.add_marker(pytest.mark.skip(reason=f"nodes cannot be machines here: {machineless}"))
        if unbuilt and item.get_closest_marker("real"):
            item.add_marker(pytest.mark.skip(reason=unbuilt))
        if item.get_closest_marker("cli") and not shutil.which("pulumi"):
            item.add_marker(pytest.mark.skip(reason="the Pulumi CLI is not on PATH"))


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root that no other test and no data centre of the user shares."""
    root = tmp_path / "datacenter"
    monkeypatch.setenv("AI_DATACENTER_HOME", str(root))
    return root


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of one round, for states that no other program opens: the Pulumi CLI's million take 0.2 s and more each."""
    monkeypatch.setattr("local.engine.store.secrets.ROUNDS", 1)
