"""What a node must reach whatever its peers do: parts of what its catalogue row says. Unknown stays unknown."""

from __future__ import annotations

from dataclasses import dataclass

from train.config.job import Accelerator

# Published best bf16 products reach 0.80 of an H100's peak and 0.87 of an A100's: half of it is no healthy chip.
MATMUL_SHARE = 0.5
MEMORY_SHARE = 0.57  # NVIDIA's DCGM asks 1.905 of an H100's 3.35 TB/s (nvvs/diag-skus.yaml.in)
CHIP_MEMORY_SHARE = 0.9  # the driver and error correction keep a part
# Whose plugin is not known to tell a device's memory: that it does not is no fault of the node.
_MAY_NOT_TELL = ("neuron",)
HOST_MEMORY_SHARE = 0.85  # firmware and kernel keep a part; a lost module is more
# A bus at 0.8 of a healthy one's is slow: a gate at 300 GB/s passes nodes that should reach 487.
ALL_REDUCE_SHARE = 0.8
GIB = 1 << 30
# Of the median of the others, for what is measured once: a link that lost lanes or a generation has half of its rate or
# less, and neighbours on the same host take a part of a CPU's memory. The place of the checkpoints is everybody's.
PEERS_MEMORY_SHARE = 0.5
PEERS_TRANSFER_SHARE = 0.7
PEERS_STORE_SHARE = 0.25


@dataclass(frozen=True)
class Floors:
    """Least figures of one node, of its devices each; None where nobody published any for such nodes."""

    matmul_flops: float | None
    memory_bytes_per_s: float | None
    device_memory_bytes: float | None
    host_memory_bytes: float | None


def of(row: Accelerator, devices: int, tells_memory: bool = True) -> Floors:
    """The floors of a node of this row that shows so many devices: of some chips JAX makes several each.

    Where JAX does not tell the memory of a device, that is asked only of those that should tell it.
    """
    chip, share = row.chip, (row.chips or devices) / devices
    asked = tells_memory or row.vendor not in _MAY_NOT_TELL
    return Floors(
        matmul_flops=_part(MATMUL_SHARE * share, chip and chip.peak_bf16_flops),
        memory_bytes_per_s=_part(MEMORY_SHARE * share, chip and chip.memory_bytes_per_s),
        device_memory_bytes=_part(CHIP_MEMORY_SHARE * GIB * share, chip.memory_gib if chip and asked else None),
        host_memory_bytes=_part(HOST_MEMORY_SHARE * GIB, row.memory_gib),
    )


def of_all_reduce(row: Accelerator, nodes: int, message_bytes: int) -> float | None:
    """Least bus bandwidth, byte/s: by type, number of nodes and message size, as each changes what is healthy.

    A larger message is at least as fast, so the nearest smaller one that was measured on as many nodes counts.
    """
    known = [bus for bus in row.all_reduce if bus.nodes == nodes and bus.message_bytes <= message_bytes]
    nearest = max(known, key=lambda bus: bus.message_bytes, default=None)
    return _part(ALL_REDUCE_SHARE, nearest and nearest.bytes_per_s)


def _part(share: float, whole: float | None) -> float | None:
    return None if whole is None else share * whole
