"""What nodes are is chosen once, for a reason that is said, and never flips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from local import vehicle
from local.paths import DataRoot, LocalCloudError, cache_root
from setup import setback
from setup.host import MACHINES, NODES, PROCESSES, Host

ABLE = Host(wanted="", uid=0, capabilities=-1, missing=(), installs=True)


@pytest.fixture
def root(data_root: Path) -> DataRoot:
    return DataRoot.of_environment()


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(vehicle, "_unmade", lambda: None)
    monkeypatch.setattr(vehicle, "host_addresses", set)


def test_a_host_that_can_runs_machines_at_an_address_of_its_own(root: DataRoot) -> None:
    chosen = vehicle.choose(root, ABLE)
    assert chosen.is_machines
    assert chosen.address.startswith("198.18.")
    assert chosen == vehicle.choose(root, ABLE)


def test_an_address_that_the_host_has_is_another_data_roots(root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    first = vehicle.choose(root, ABLE).address
    monkeypatch.setattr(vehicle, "host_addresses", lambda: {first})
    assert vehicle.choose(root, ABLE).address != first


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (replace(ABLE, uid=1000), "machines need root"),
        (replace(ABLE, capabilities=0), "lacks CAP_SYS_ADMIN"),
        (replace(ABLE, missing=("podman",)), "not installed: podman"),
        (replace(ABLE, wanted=PROCESSES), f"{NODES}=processes"),
    ],
)
def test_a_host_that_cannot_runs_processes_and_says_why(root: DataRoot, host: Host, reason: str) -> None:
    chosen = vehicle.choose(root, host)
    assert not chosen.is_machines
    assert reason in chosen.sentence()
    assert chosen.address == "127.0.0.1"


def test_machines_that_are_asked_for_and_cannot_be_are_an_error_with_the_reason(root: DataRoot) -> None:
    with pytest.raises(LocalCloudError, match="cannot be machines here: machines need root"):
        vehicle.choose(root, replace(ABLE, uid=1000, wanted=MACHINES))


def test_images_that_are_not_made_are_a_reason(root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vehicle, "_unmade", lambda: "their images are not made")
    assert "not made" in vehicle.choose(root, ABLE).reason


def test_why_they_could_not_be_made_says_more_than_that_they_are_not(
    root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    setback.remember(cache_root(), "mmdebstrap failed", for_a_day=True)
    assert vehicle.choose(root, ABLE).is_machines, "they are made all the same"
    assert vehicle.choose(root, replace(ABLE, missing=("podman",))).reason == "mmdebstrap failed"
    monkeypatch.setattr(vehicle, "_unmade", lambda: "their images are not made")
    assert vehicle.choose(root, ABLE).reason == "mmdebstrap failed"
    assert "ordinary user" in vehicle.choose(root, replace(ABLE, uid=1000)).reason


def test_a_data_centre_of_processes_stays_one(root: DataRoot) -> None:
    root.clusters.mkdir(parents=True)
    assert not vehicle.choose(root, ABLE).is_machines


def test_the_choice_is_kept_whatever_the_host_becomes(root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NODES, PROCESSES)
    chosen = vehicle.of(root)
    monkeypatch.delenv(NODES)
    monkeypatch.setattr(Host, "here", lambda: ABLE)
    assert vehicle.of(root) == chosen == vehicle.recorded(root)


def test_asking_for_the_other_kind_later_is_refused_with_the_way_out(
    root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle.of(root)
    monkeypatch.setenv(NODES, MACHINES)
    with pytest.raises(LocalCloudError, match="make down"):
        vehicle.of(root)


def test_a_word_that_means_nothing_is_refused_with_those_that_do(
    root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NODES, "vms")
    with pytest.raises(LocalCloudError, match=r"'vms'.*processes or machines"):
        vehicle.of(root)
