"""Which machine has which address: kept with the node, so that its successor has the same one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from local.addresses import free_machine_address
from local.files import write_atomically
from local.node_spec import NodeSpec
from local.paths import LocalCloudError
from local.processes import lock

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

FILE = "machine.json"


@dataclass(frozen=True)
class Place:
    """A machine's address, and those that podman holds for containers of the node that it has forgotten."""

    address: str
    spent: tuple[str, ...] = ()


def ensure(plane: ControlPlane, name: str) -> str:
    """The node's address: the one that it has, or the first that is free in the cluster's network.

    Raises:
        LocalCloudError: the network is full, or there is none.
    """
    with lock(plane.nodes_folder / ".addresses.lock"):
        place = _read(plane, name)
        if place is None or not place.address:
            place = Place(_free(plane), place.spent if place else ())
            _write(plane, name, place)
        return place.address


def of(plane: ControlPlane, name: str) -> str | None:
    """The node's address; None before it has one."""
    place = _read(plane, name)
    return place.address or None if place else None


def give_up(plane: ControlPlane, name: str, address: str) -> None:
    """Let the node never have that address again: a podman that was killed half way has not given it back.

    It is free again when the cluster's network is removed.
    """
    with lock(plane.nodes_folder / ".addresses.lock"):
        place = _read(plane, name)
        _write(plane, name, Place("", (*(place.spent if place else ()), address)))


def _free(plane: ControlPlane) -> str:
    network, names = plane.network, [spec.name for spec in NodeSpec.of_folders(plane.nodes_folder, None)]
    if network is None:
        raise LocalCloudError(f"The cluster in {plane.folder} has no network of machines: run `make down`, then up.")
    if len(names) > network.most_machines:
        raise LocalCloudError(
            f"The cluster {plane.name} would have {len(names)} machines, and one host takes {network.most_machines} in "
            "one cluster: lower the pools' desired_size."
        )
    folders = [path.parent.name for path in plane.nodes_folder.glob(f"*/{FILE}")]  # of machines that are no nodes too
    places = [place for name in folders if (place := _read(plane, name))]
    taken = {address for place in places for address in (place.address, *place.spent)}
    address = free_machine_address(network, taken)
    if address is None:
        raise LocalCloudError(f"No address is left in {network.subnet}: run `make down`, which gives all of them back.")
    return address


def _read(plane: ControlPlane, name: str) -> Place | None:
    try:
        fields = json.loads((plane.nodes_folder / name / FILE).read_text())
        return Place(str(fields["address"]), tuple(fields.get("spent", ())))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(plane: ControlPlane, name: str, place: Place) -> None:
    write_atomically(plane.nodes_folder / name / FILE, json.dumps(asdict(place)) + "\n")
