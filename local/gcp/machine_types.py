"""The sizes of Google's machine types, for nodes to declare: nothing on this machine describes them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class MachineType:
    """vCPUs, GiB of memory, chips; ``accelerator`` is GKE's label of them, ``alone`` the topology of one machine."""

    vcpus: int
    memory_gib: int
    chips: int = 0
    accelerator: str = ""
    alone: str = ""


_V5E, _V5P, _V6E, _V7X = "tpu-v5-lite-podslice", "tpu-v5p-slice", "tpu-v6e-slice", "tpu7x"
TPUS = {
    "ct5lp-hightpu-1t": MachineType(24, 48, 1, _V5E, "1x1"),
    "ct5lp-hightpu-4t": MachineType(112, 192, 4, _V5E, "2x2"),
    "ct5lp-hightpu-8t": MachineType(224, 384, 8, _V5E, "2x4"),
    "ct5p-hightpu-4t": MachineType(208, 448, 4, _V5P, "2x2x1"),
    "ct6e-standard-1t": MachineType(44, 176, 1, _V6E, "1x1"),
    "ct6e-standard-4t": MachineType(180, 720, 4, _V6E, "2x2"),
    "ct6e-standard-8t": MachineType(180, 1440, 8, _V6E, "2x4"),
    "tpu7x-standard-4t": MachineType(224, 960, 4, _V7X, "2x2x1"),
}
_GIB_A_VCPU = {"standard": 4, "highmem": 8, "highcpu": 1}  # Compute Engine guide, machine families: e2, n2, c3
_GENERAL = re.compile(r"[a-z][a-z0-9]*-(standard|highmem|highcpu)-([0-9]+)")


def machine_type(name: str) -> MachineType | None:
    """What the type is; None is unknown."""
    if found := TPUS.get(name):
        return found
    match = _GENERAL.fullmatch(name)
    return MachineType(int(match[2]), _GIB_A_VCPU[match[1]] * int(match[2])) if match else None
