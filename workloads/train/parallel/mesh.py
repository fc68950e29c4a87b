"""How devices share the work: the meshes that they form, and where each array is kept."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from train.config.failure import Failure
from train.config.words import counted

AXIS = "data"
_SHARED = ("fsdp", "tensor")
# By the axes of each parameter in train.model. Of two that follow each other one is divided by outputs and the other by
# inputs, so that what is between them needs no exchange (Megatron-LM).
_AXES: dict[str, tuple[str | None, ...]] = {
    "embed": ("fsdp", "tensor"),
    "positions": (None, None),
    "head": ("fsdp", "tensor"),
    "qkv": ("fsdp", "tensor", None, None),
    "qkv_bias": ("tensor", None, None),
    "out": ("tensor", None, "fsdp"),
    "gate_up": ("fsdp", None, "tensor"),
    "up": ("fsdp", "tensor"),
    "up_bias": ("tensor",),
    "down": ("tensor", "fsdp"),
}


def make_mesh() -> Mesh:
    """All devices of all processes in one line."""
    return Mesh(np.array(in_line(jax.devices())), (AXIS,))


def in_line(devices: list[Any]) -> list[Any]:
    """Process by process, within each in JAX's order, which is that of their links where there are any.

    JAX promises no order of processes: on TPU slices ids follow the torus, across hosts. But who reads which rows, who
    swaps with whom and whom a result is of, is worked out from places in this line.
    """
    return sorted(devices, key=lambda device: device.process_index)


def arrange(line: Mesh, fsdp: int, tensor: int) -> Mesh:
    """The same devices by what they share: nothing (data), parameters (fsdp), or each matrix product (tensor).

    Neighbours share most. Raises :class:`Failure` where the devices cannot be divided so.
    """
    devices = line.devices.size
    if devices % (fsdp * tensor):
        found = counted(devices, "device")
        raise Failure(f"{found} cannot be divided by fsdp {fsdp} × tensor {tensor}: give other numbers")
    if len(line.local_devices) % tensor:
        raise Failure(f"tensor {tensor} must divide the {counted(len(line.local_devices), 'device')} of a process")
    return Mesh(line.devices.reshape(-1, fsdp, tensor), (AXIS, *_SHARED))


def row_shards(mesh: Mesh) -> int:
    """How many parts a batch's rows are spread over."""
    return mesh.devices.size // mesh.shape.get("tensor", 1)


def replicated(mesh: Mesh) -> NamedSharding:
    """In full on every device."""
    return NamedSharding(mesh, PartitionSpec())


def split(mesh: Mesh) -> NamedSharding:
    """Rows spread over the devices; those that share each product see the same rows."""
    return NamedSharding(mesh, PartitionSpec(tuple(name for name in mesh.axis_names if name != "tensor")))


def shardings(mesh: Mesh, state: Any) -> Any:
    """Where each array of a state is kept: by its name, which an optimizer's averages share with the parameter."""

    def of(path: tuple[Any, ...], leaf: Any) -> NamedSharding:
        axes = _AXES.get(getattr(path[-1], "key", ""), ())
        # What cannot be divided evenly is kept in full.
        spec = [
            name if name and size % mesh.shape[name] == 0 else None
            for name, size in zip(axes, leaf.shape, strict=False)
        ]
        return NamedSharding(mesh, PartitionSpec(*spec))

    return jax.tree_util.tree_map_with_path(of, state)


def rows_of(index: int, processes: int, rows: int) -> slice:
    """The rows of a global batch that one process reads; raises where they cannot be shared evenly."""
    if rows % processes:
        raise Failure(f"{rows} sequences cannot be shared evenly by {processes} processes")
    share = rows // processes
    return slice(index * share, (index + 1) * share)


def to_devices(mesh: Mesh, local_rows: np.ndarray) -> jax.Array:
    """A global array of which this process holds ``local_rows``."""
    return jax.make_array_from_process_local_data(split(mesh), local_rows)


def place(where: Any, tree: Any) -> Any:
    """Host values, which every process holds in full, as arrays that are spread as ``where`` says."""
    return jax.tree.map(
        lambda leaf, sharding: jax.make_array_from_callback(leaf.shape, sharding, lambda at: leaf[at]), tree, where
    )
