"""The table tells what stands in the way of that which was asked for, and no other thing as a fault."""

from __future__ import annotations

import pytest

from local import vehicle
from local.vehicle import Vehicle
from operations import doctor
from operations.doctor import Finding
from operations.workplace import Workplace
from setup.host import NODES, Host

LACKS = "machines need root, and this is an ordinary user"


def nodes(place: Workplace) -> Finding:
    return next(doctor._nodes(place))


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that has no machines."""

    def obstacle(host: Host) -> str | None:
        return host.refusal()

    monkeypatch.setattr(vehicle, "obstacle", obstacle)
    monkeypatch.setattr("os.geteuid", lambda: 1000)


@pytest.mark.parametrize(
    ("asked", "ok", "needed", "tells"),
    [
        ("", False, False, f"would be processes: {LACKS}"),
        ("processes", True, False, "would be processes: AI_DATACENTER_NODES=processes says so"),
        ("machines", False, True, f"would be processes: {LACKS}"),
        ("pods", False, True, "AI_DATACENTER_NODES is 'pods': it can be processes or machines"),
    ],
)
def test_where_nodes_cannot_be_machines_that_is_a_fault_only_if_they_must(
    place: Workplace, ordinary: None, monkeypatch: pytest.MonkeyPatch, asked: str, ok: bool, needed: bool, tells: str
) -> None:
    monkeypatch.setenv(NODES, asked)
    found = nodes(place)
    assert (found.ok, found.needed) == (ok, needed)
    assert found.found.startswith(tells)
    assert ok or NODES in found.remedy or not needed


@pytest.mark.parametrize(("asked", "ok"), [("", True), ("processes", True), ("machines", False)])
def test_a_data_centre_whose_nodes_are_others_than_asked_for_is_a_fault(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, asked: str, ok: bool
) -> None:
    monkeypatch.setenv(NODES, asked)
    monkeypatch.setattr(vehicle, "recorded", lambda _root: Vehicle("processes", "they were", "127.0.0.1"))
    found = nodes(place)
    assert found.ok is ok
    assert found.found.startswith("they are processes: they were")
    assert ("asks for machines" in found.found) is not ok
    assert "make down" in found.remedy
