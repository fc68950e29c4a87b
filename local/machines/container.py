"""The container that is a machine: its name, how it is started, looked at and removed."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from local import networks
from local.addresses import hardware_address, key_of
from local.machines import user_data
from local.paths import CHECKOUT, JAX_CACHE, DataRoot, binary, cache_root
from local.podman import PREFIX, ROOT_LABEL, PodmanError, ask, boot_flags, exists, podman
from local.processes import wait_until
from setup import images
from setup.golang import MACHINE_NAMES

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

CLUSTER_LABEL, NODE_LABEL = "ai-datacenter.cluster", "ai-datacenter.node"
_POWER_OFF = "37"  # SIGRTMIN+3, by which systemd shuts down
_LONGEST_HOST_NAME = 63
_OTHERS_TIMEOUT_S = 60.0


def name_of(plane: ControlPlane, node: str) -> str:
    """The container's name: two clusters may have nodes of the same name."""
    return f"{PREFIX}{key_of(plane.folder)}-{node}"


def command(plane: ControlPlane, root: DataRoot, node: str, address: str, image: str) -> list[str]:
    """The arguments of podman that start the machine; its folders lie in the node's folder."""
    folder = plane.nodes_folder / node
    volumes = {
        folder / "containerd": "/var/lib/containerd",
        folder / "kubelet": "/var/lib/kubelet",
        jax_cache(): JAX_CACHE,
        **{binary(name).resolve(): f"/usr/local/bin/{name}:ro" for name in MACHINE_NAMES},
    }
    return _command(plane, root, node, address, image, volumes)


def plain_command(plane: ControlPlane, root: DataRoot, name: str, address: str, image: str) -> list[str]:
    """The same for a machine that is no node: it has nothing of Kubernetes, and keeps what Prometheus measures."""
    return _command(plane, root, name, address, image, {measurements(plane, name): "/var/lib/prometheus"})


def measurements(plane: ControlPlane, name: str) -> Path:
    """The folder on this host that outlives the machine, as an instance's disk does, until it is not declared."""
    return plane.nodes_folder / name / "prometheus"


def _command(
    plane: ControlPlane, root: DataRoot, node: str, address: str, image: str, own: Mapping[Path, str]
) -> list[str]:
    folder, name = plane.nodes_folder / node, name_of(plane, node)
    labels = {ROOT_LABEL: str(root.path), CLUSTER_LABEL: plane.folder.name, NODE_LABEL: node}
    volumes = {folder / "user-data": f"{user_data.PLACE}:ro", **own}
    return [
        "run", "--detach", f"--name={name}", f"--hostname={node[:_LONGEST_HOST_NAME]}",
        f"--network={networks.name_of(plane.folder)}", f"--ip={address}", f"--mac-address={hardware_address(name)}",
        *(f"--label={name}={value}" for name, value in labels.items()),
        *boot_flags(), f"--stop-signal={_POWER_OFF}", "--env=container=podman",
        "--tmpfs=/run:exec,mode=755", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec,mode=1777",
        *(f"--volume={source}:{target}" for source, target in volumes.items()),
        image, "/lib/systemd/systemd",
    ]  # fmt: skip


def jax_cache() -> Path:
    """The folder on this host; every pod's user may write into it."""
    folder = cache_root() / "jax-machines"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o1777)
    return folder


def ensure_image() -> str:
    """The machines' image, taken into podman from the set-up's file where podman has lost it.

    Raises:
        LocalCloudError: the set-up has not made it, or podman refuses it.
    """
    folder = images.machine_image(CHECKOUT).folder(cache_root())
    name = images.image_name(folder)
    if not exists("image", name):
        if not any(folder.glob("*.tar.zst")):
            raise PodmanError(f"The machines' image is not in {folder}: `make setup-machines` makes it.")
        podman(*images.import_command(folder)[1:])
    return name


def is_running(name: str) -> bool:
    """Whether the container runs."""
    done = subprocess.run(
        ["podman", "container", "inspect", "--format={{.State.Running}}", name], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return done.stdout.strip() == "true"


def running_names(root: DataRoot) -> set[str]:
    """The containers of a data root that run."""
    return _names(ask("ps", _of(root)))


def all_names(root: DataRoot) -> set[str]:
    """The containers of a data root that podman knows, in whatever state a kill has left them."""
    return _names(ask("ps", "--all", _of(root)))


def _of(root: DataRoot) -> str:
    return f"--filter=label={ROOT_LABEL}={root.path}"


def _names(listed: list[dict[str, Any]]) -> set[str]:
    return {name for container in listed for name in container["Names"]}


def await_others(name: str) -> None:
    """Wait for a podman of a run that was killed meanwhile: it still starts the machine."""
    wait_until(lambda: not _is_being_started(name), _OTHERS_TIMEOUT_S, 0.1)


def _is_being_started(name: str) -> bool:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if words[:2] == ["podman", "run"] and f"--name={name}" in words:
                return True
    return False


def remove(name: str) -> None:
    """End the machine at once, with all that runs in it; fine where there is none."""
    podman("rm", "--force", "--volumes", "--time=0", "--ignore", name)


def execute(name: str, *arguments: str, timeout_s: float = 30.0, stdin: Path | None = None) -> str:
    """Run a program in the machine, with the content of a file as its input, and give its output."""
    if stdin is None:
        return podman("exec", name, *arguments, timeout_s=timeout_s)
    return podman("exec", "--interactive", name, *arguments, timeout_s=timeout_s, stdin=stdin)


def last_words(name: str) -> str:
    """The end of the kubelet's journal, or why it cannot be read."""
    with contextlib.suppress(PodmanError):
        return execute(name, "journalctl", "--unit=kubelet", "--lines=5", "--no-pager", "--output=cat", timeout_s=10.0)
    return "(the machine does not answer; `podman logs` may say why)"
