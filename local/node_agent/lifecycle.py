"""Starting, stopping and listing nodes: what a node group's provider calls."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from local.node_objects import drain, forget, is_ready
from local.node_spec import NodeSpec
from local.paths import CHECKOUT, LocalCloudError
from local.processes import RECORD_SUFFIX, lock, spawn, stop_under, tail, wait_until
from local.processes import running as running_process
from local.processes import stop as stop_processes

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

AGENT_RECORD = f"agent{RECORD_SUFFIX}"
READY_TIMEOUT_S = 30.0


def start(plane: ControlPlane, spec: NodeSpec, wait_s: float = READY_TIMEOUT_S) -> int:
    """Ensure that a node runs with that specification and is Ready; its agent's pid.

    A changed specification restarts the agent; its pods go on. With ``wait_s=0`` it returns before the node is Ready.

    Raises:
        LocalCloudError: the agent ended or the node is not Ready in time.
    """
    folder = plane.nodes_folder / spec.name
    with lock(plane.nodes_folder / f".{spec.name}.lock"):
        record = running_process(folder / AGENT_RECORD)
        if record is not None and NodeSpec.find(folder) != spec:
            stop_processes(record)
            record = None
        if record is None:
            plane.node_credentials(spec.name)
            spec.write(folder)
            record = spawn(_command(plane, spec.name), record=folder / AGENT_RECORD, log=folder / "agent.log",
                           cwd=CHECKOUT, env=_environment())  # fmt: skip
    if wait_s and not wait_until(lambda: is_ready(plane, spec.name), wait_s, 0.1):
        raise LocalCloudError(
            f"The node {spec.name} is not Ready after {wait_s:.0f} s. The end of {folder / 'agent.log'}:\n"
            f"{tail(folder / 'agent.log')}\nRun again; `aidc status` shows the control plane."
        )
    return record.pid


def stop(plane: ControlPlane, name: str, grace_s: float = 10.0) -> None:
    """Drain and end a node: cordon, delete its pods, end the agent and every process left, delete the Node.

    It works without a control plane too: then only processes and files go.
    """
    folder = plane.nodes_folder / name
    with lock(plane.nodes_folder / f".{name}.lock"):
        drain(plane, name, grace_s if running(plane, name) else 0.0)
        stop_under(folder)
        forget(plane, name)
        shutil.rmtree(folder, ignore_errors=True)
        (plane.nodes_folder / f".{name}.lock").unlink(missing_ok=True)


def running(plane: ControlPlane, name: str) -> bool:
    """Whether the node's agent runs: a dead one is drift."""
    return running_process(plane.nodes_folder / name / AGENT_RECORD) is not None


def list_nodes(plane: ControlPlane, nodegroup: str | None = None) -> list[NodeSpec]:
    """The nodes that have a folder, of one group or all, running or not."""
    return NodeSpec.of_folders(plane.nodes_folder, nodegroup)


def provide(plane: ControlPlane, images: Iterable[str]) -> None:
    """Nothing to do: processes start from files of this checkout, whatever the image is called."""


def _command(plane: ControlPlane, name: str) -> list[str]:
    where = ["--cluster-dir", str(plane.folder), "--name", name, "--endpoint", plane.endpoint]
    return [sys.executable, "-m", "local.node_agent", *where]


def _environment() -> dict[str, str]:
    """Nothing of the caller's secrets; one malloc arena, as each thread's own would keep 10 MB more."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONPATH": str(CHECKOUT), "MALLOC_ARENA_MAX": "1"}
