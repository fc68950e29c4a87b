"""Machines that are no nodes: entered and configured like those, and with no kubelet, for user data names none.

Their folder lies among those of the nodes, which share addresses and locks with them, and holds another file.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.files import write_atomically
from local.machines import container, places, user_data
from local.machines.keys import ensure_key
from local.machines.lifecycle import SSH_KEY, boot, root_of
from local.node_spec import NodeSpec
from local.paths import LocalCloudError
from local.processes import lock, wait_until

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

FILE = "instance.json"
ENTRY_TIMEOUT_S = 60.0
"""Seconds from start until its sshd answers. Seen: 2 s."""
_SSH_PORT = 22


@dataclass(frozen=True)
class Instance:
    """An instance of EC2 that is no node; ``name`` is that of its machine, ``id`` EC2's."""

    name: str
    id: str
    instance_type: str
    zone: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls, folder: Path) -> Instance | None:
        """From its folder; None where that holds no whole one."""
        try:
            return cls(**json.loads((folder / FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Into its folder."""
        write_atomically(folder / FILE, json.dumps(asdict(self), indent=1) + "\n")


def start(plane: ControlPlane, instance: Instance, wait_s: float = ENTRY_TIMEOUT_S) -> None:
    """Ensure that the machine runs and can be entered; one that has died is replaced, with its name and measurements.

    Raises:
        LocalCloudError: it cannot be started, or its sshd does not answer in time.
    """
    folder, name = plane.nodes_folder / instance.name, container.name_of(plane, instance.name)
    with lock(plane.nodes_folder / f".{instance.name}.lock"):
        before = Instance.find(folder)
        if before is None or not container.is_running(name):
            _replace(plane, instance, folder)
        elif before != instance:
            instance.write(folder)
    where = address(plane, instance.name) or ""
    if not wait_until(lambda: _answers(where), wait_s, 0.1):
        raise LocalCloudError(
            f"The machine {name} does not let anybody in at {where}:{_SSH_PORT} after {wait_s:.0f} s. "
            f"`podman exec {name} journalctl --unit=ssh` may say why; a firewall of this host may be in the way."
        )


def stop(plane: ControlPlane, name: str) -> None:
    """Remove the machine and its files; nothing where there is none."""
    with lock(plane.nodes_folder / f".{name}.lock"):
        container.remove(container.name_of(plane, name))
        shutil.rmtree(plane.nodes_folder / name, ignore_errors=True)
        (plane.nodes_folder / f".{name}.lock").unlink(missing_ok=True)


def running(plane: ControlPlane, name: str) -> bool:
    """Whether the machine runs."""
    return container.is_running(container.name_of(plane, name))


def address(plane: ControlPlane, name: str) -> str | None:
    """Its address, the same for as long as it is declared; None before it has one."""
    return places.of(plane, name)


def list_instances(plane: ControlPlane) -> list[Instance]:
    """Those that have a folder, running or not."""
    if not plane.nodes_folder.is_dir():
        return []
    found = [Instance.find(folder) for folder in sorted(plane.nodes_folder.iterdir()) if folder.is_dir()]
    return [instance for instance in found if instance is not None]


def is_node(plane: ControlPlane, name: str) -> bool:
    """Whether a node has that name."""
    return NodeSpec.find(plane.nodes_folder / name) is not None


def _replace(plane: ControlPlane, instance: Instance, folder: Path) -> None:
    container.await_others(container.name_of(plane, instance.name))
    container.remove(container.name_of(plane, instance.name))
    instance.write(folder)  # from here on the machine is found and removed, whatever happens
    image = container.ensure_image()
    entry_key = ensure_key(plane.folder / SSH_KEY)

    def prepare(address: str) -> list[str]:
        user_data.write_entry(folder / "user-data", entry_key)
        container.measurements(plane, instance.name).mkdir(exist_ok=True)
        return container.plain_command(plane, root_of(plane), instance.name, address, image)

    boot(plane, instance.name, prepare)


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, _SSH_PORT), 1.0) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
