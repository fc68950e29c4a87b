"""The workload's image on machines: there when they start, loaded when it changes, under the names that pods know."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local.files import write_atomically
from local.machines import container, user_data
from local.node_spec import NodeSpec
from local.paths import CHECKOUT, LocalCloudError, cache_root
from local.processes import lock
from setup.images import ARCHIVE, train_image, workload_store

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

FILE = "images.json"
_LOCK = ".images.lock"
_LOADING_TIMEOUT_S = 180.0


def store() -> Path:
    """What the set-up made of this checkout's workload.

    Raises:
        LocalCloudError: it has not made it.
    """
    step = workload_store(CHECKOUT)
    folder = step.folder(cache_root())
    if not step.is_done(cache_root()):
        raise LocalCloudError(
            f"The image of these sources of the workload is not in {folder}: `make setup-machines` builds it."
        )
    return folder


def fill(folder: Path) -> None:
    """Give a new machine's containerd the image: the unpacked files as hard links, which nobody writes, else copies.

    Raises:
        LocalCloudError: the set-up has not made it, or it cannot be copied.
    """
    source = store() / "containerd"

    def link_or_copy(source: str, target: str) -> None:
        if "/snapshots/" in source or "/blobs/" in source:
            try:
                os.link(source, target, follow_symlinks=False)
                return
            except OSError:  # another file system: then it is a copy after all
                pass
        shutil.copy2(source, target, follow_symlinks=False)

    try:
        shutil.copytree(source, folder, symlinks=True, copy_function=link_or_copy)
    except OSError as error:  # shutil's own is one
        raise LocalCloudError(
            f"The workload's image cannot be copied from {source} to {folder}: {_first_reason(error)}. See that there "
            f"is room (`df -h`), remove {source.parent} if incomplete (`make setup` makes it again), and run again."
        ) from None


def _first_reason(error: OSError) -> str:
    """Why a copy failed: of a tree's, which names every file, the first."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        source, _, reason = error.args[0][0]
        return f"{reason} ({source})" if str(source) not in str(reason) else str(reason)
    return f"{error.strerror or error}"


def provide(plane: ControlPlane, images: Iterable[str]) -> None:
    """Let the workload's image of now stand on every machine, and on those to come, under names new to the cluster.

    A name keeps the image that it was first given, as a registry whose tags never move would have it. The record comes
    last: after a kill or an error the next run names the image on every machine again.
    """
    with lock(plane.nodes_folder / _LOCK):
        known = names_of(plane)
        new = {name: train_image(store()) for name in images if name not in known}
        if not new:
            return
        for spec in NodeSpec.of_folders(plane.nodes_folder, None):
            machine = container.name_of(plane, spec.name)
            is_running = container.is_running(machine)
            if is_running:
                _load(machine)
            _write_names(plane, spec.name, {**known, **new})  # to one that is being started too: it reads them later
            if is_running:
                container.execute(machine, "name-images")
        write_atomically(plane.folder / FILE, json.dumps({**known, **new}, indent=1) + "\n")


def names_of(plane: ControlPlane) -> dict[str, str]:
    """The names under which the cluster's pods ask for the workload, each with what it is called on machines."""
    try:
        return {str(name): str(image) for name, image in json.loads((plane.folder / FILE).read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_names(plane: ControlPlane, node: str) -> None:
    """Tell a machine the names: it lets those images that it has stand under them."""
    with lock(plane.nodes_folder / _LOCK):  # or an older list could go over a newer one
        _write_names(plane, node, names_of(plane))


def _write_names(plane: ControlPlane, node: str, names: Mapping[str, str]) -> None:
    lines = [f"{image} {name}\n" for name, image in names.items()]
    write_atomically(plane.nodes_folder / node / "user-data" / user_data.IMAGES, "".join(lines))


def _load(machine: str) -> None:
    """Load the image into a machine that started with another one."""
    have = container.execute(machine, "ctr", "--namespace=k8s.io", "images", "list", "--quiet").split()
    if train_image(store()) not in have:
        container.execute(machine, "load-images", timeout_s=_LOADING_TIMEOUT_S, stdin=store() / ARCHIVE)
