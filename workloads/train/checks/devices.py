"""What a node has: how many devices, of which kind, with how much memory."""

from __future__ import annotations

import os
import platform
import re
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax
from jax.sharding import Mesh

from train.config.failure import Failure
from train.config.job import Accelerator, Job
from train.config.words import counted

Device = Any  # jax.Device, which is no type to a type checker
_KINDS = {"TPU v5e": "TPU v5 lite", "TPU v5p": "TPU v5", "TPU v6e": "TPU v6 lite"}  # JAX's names
_UNNAMED = ("neuron",)  # whose plugin gives its devices no chip's name
_PACKAGES = ("jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin", "libtpu", "libneuronxla")


def software() -> dict[str, str]:
    """Versions of what a speed depends on; what is not installed is left out."""
    found = {"python": platform.python_version(), "kernel": platform.release()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def check_devices(job: Job) -> None:
    """Number and kind of this node's devices; raises :class:`Failure` with what was found and what was expected."""
    expected, found, kind = job.devices_per_process, jax.local_device_count(), jax.local_devices()[0].device_kind
    of = f" of {job.accelerator.instance_type}" if job.accelerator.instance_type else ""
    if expected is not None and found != expected:
        raise Failure(
            f"node {job.node} shows {counted(found, 'device')} ({kind}), and the catalogue says {expected}{of}"
        )
    if not job.emulated_devices and not is_kind(job.accelerator, kind):
        chip = job.accelerator.chip
        raise Failure(f"node {job.node} has {kind}, and the catalogue says {chip.name if chip else 'another'}{of}")


def is_kind(row: Accelerator, kind: str) -> bool:
    """Whether a device that calls itself ``kind`` is the row's chip; true where nothing is known."""
    if row.chip is None or not row.chip.name or row.vendor in _UNNAMED:
        return True
    name = _KINDS.get(row.chip.name, row.chip.name).partition(" 40GB")[0].partition(" 80GB")[0]
    return re.search(rf"\b{re.escape(name)}\b", kind, re.IGNORECASE) is not None


def check_processes(job: Job, mesh: Mesh) -> None:
    """Every process brings as many devices as every other; raises :class:`Failure` with the counts."""
    present = Counter(device.process_index for device in mesh.devices.flat)
    counts = [present[index] for index in range(job.processes)]
    if len(set(counts)) > 1 or not all(counts):
        raise Failure(f"the processes bring different numbers of devices: {counts}")


def host_memory_bytes() -> int:
    """Main memory that the kernel has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def device_memory_bytes(device: Device) -> float | None:
    """Memory of one device; None where it does not tell, as CPUs and some plugins do not.

    On GPUs XLA tells its own share of it, three quarters unless the environment says otherwise.
    """
    try:
        limit = (device.memory_stats() or {}).get("bytes_limit")
    except jax.errors.JaxRuntimeError:
        return None
    if limit is None or device.platform != "gpu":
        return limit
    return limit / float(os.environ.get("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.75"))
