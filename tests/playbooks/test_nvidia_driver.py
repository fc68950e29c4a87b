"""The NVIDIA driver's role acts where chips are, and says what it found: on PCI trees laid out as sysfs has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playbooks import PLAYBOOKS
from playbooks.inventory import Host, Inventory
from playbooks.results import HostResult
from playbooks.runner import converge

from .conftest import here, play

pytestmark = pytest.mark.real

TREES = Path(__file__).parent / "pci"
LOADED = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.57.08  Release Build  (builder@host)\n"
OLD = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n"


def lay_out(tree: str, folder: Path) -> Path:
    """The devices of a recorded tree as files."""
    for line in (TREES / f"{tree}.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        address, *values = line.split()
        (folder / address).mkdir(parents=True)
        for name, value in zip(("vendor", "device", "class"), values, strict=True):
            (folder / address / name).write_text(value + "\n")
    return folder


def host(folder: Path, name: str, tree: str, driver: str = "", **variables: Any) -> Host:
    """A host that finds this tree and this driver instead of its own."""
    proc = folder / name / "proc"
    proc.mkdir(parents=True)
    if driver:
        (proc / "version").write_text(driver)
    places = {
        "nvidia_driver_pci_path": str(lay_out(tree, folder / name / "devices")),
        "nvidia_driver_proc_path": str(proc),
    }
    return here(name, **places, **variables)


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, HostResult], Path]:
    """The preflight of the role on all the hosts, and the folder where it says what it found."""
    folder = tmp_path_factory.mktemp("nvidia")
    hosts = (
        host(folder, "plain", "virtual-machine"),
        host(folder, "whole", "p5.48xlarge", LOADED),
        host(folder, "bare", "p5.48xlarge"),
        host(folder, "old", "p5.48xlarge", OLD),
        host(folder, "packaged", "p5.48xlarge", nvidia_driver_packages=["nvidia-driver"]),
    )
    (folder / "roles").symlink_to(PLAYBOOKS / "roles")
    role = {"name": "nvidia_driver", "tasks_from": "preflight", "public": True}
    said = "{{ _nvidia_driver_devices | length }} {{ _nvidia_driver_summary }}"
    project = play(
        folder,
        {"ansible.builtin.include_role": role, "vars": {"ansible_facts": {"os_family": "RedHat"}}},
        {"ansible.builtin.copy": {"dest": f"{folder}/{{{{ inventory_hostname }}}}/said", "content": said}},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        run = converge(Inventory(hosts=hosts), project=project)
    return {result.name: result for result in run.hosts}, folder


Looked = tuple[dict[str, HostResult], Path]


def message(looked: Looked, name: str) -> str:
    failure = looked[0][name].failure
    assert failure
    return failure.message


def said(looked: Looked, name: str) -> str:
    assert looked[0][name].failure is None
    return (looked[1] / name / "said").read_text()


def test_eight_chips_with_a_driver_are_counted_and_named_and_their_switches_are_not_chips(looked: Looked) -> None:
    assert said(looked, "whole") == "8 8 × H100 SXM5 80GB"


def test_a_host_without_chips_is_left_alone(looked: Looked) -> None:
    assert said(looked, "plain").startswith("0 ")


def test_chips_without_a_driver_are_told_with_the_images_that_have_one(looked: Looked) -> None:
    assert "8 × H100 SXM5 80GB and no driver is loaded: choose an image that brings one" in message(looked, "bare")


def test_a_driver_that_is_too_old_is_told_and_not_replaced(looked: Looked) -> None:
    assert "8 × H100 SXM5 80GB and driver 535.183.01, which is older than 570.0" in message(looked, "old")


def test_a_driver_that_comes_in_packages_may_be_missing(looked: Looked) -> None:
    assert said(looked, "packaged").startswith("8 ")
