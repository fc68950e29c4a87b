"""AWS' own chips and the machine types that carry them.

JAX's devices are logical NeuronCores: of Trainium each of its two, of Trainium2 two of its eight physical ones together
(``NEURON_LOGICAL_NC_CONFIG``, by default 2). ``DescribeInstanceTypes`` gives a Trainium2 device 512 GiB, and Trn2u none
at all: the Neuron documentation is used.
"""

from __future__ import annotations

from .model import GIGA, TERA, Capacity, Chip, InstanceType, Precision, Vendor
from .sources import ec2_price

_NUMBERS = ("memory_gib", "peak_flops", "memory_bytes_per_s", "link_bytes_per_s")

TRAINIUM1 = Chip(
    name="Trainium", vendor=Vendor.NEURON, memory_gib=32, devices=2,
    peak_flops={
        Precision.FP32: 47.5 * TERA, Precision.TF32: 190 * TERA, Precision.BF16: 190 * TERA, Precision.FP8: 190 * TERA,
        Precision.INT8: 380 * TERA,
    },
    memory_bytes_per_s=820 * GIGA, link="NeuronLink-v2",
    sources={**dict.fromkeys(_NUMBERS, "NEURON"), "devices": "NEURON-CORES"},
)  # fmt: skip
TRAINIUM2 = Chip(
    name="Trainium2", vendor=Vendor.NEURON, memory_gib=96, devices=4,
    peak_flops={
        Precision.FP32: 181 * TERA, Precision.TF32: 667 * TERA, Precision.BF16: 667 * TERA, Precision.FP8: 1299 * TERA,
    },
    memory_bytes_per_s=2.9 * TERA, link="NeuronLink-v3", link_bytes_per_s=1.28 * TERA,
    sources={**dict.fromkeys(_NUMBERS, "NEURON"), "link_bytes_per_s": "NEURON?", "devices": "NEURON-CORES"},
)  # fmt: skip

_BLOCKS = frozenset(Capacity)


def _type(
    name: str, vcpus: int, memory_gib: int, chip: Chip, chips: int, *, gbps: float, cards: int, interfaces: int,
    nvme_gb: int, efa: int | None = None, addresses: int = 50, domain: int | None = None, usd: float | None = None,
    capacities: frozenset[Capacity] = _BLOCKS, source: str = "EC2",
) -> InstanceType:  # fmt: skip
    return InstanceType(
        name=name, vcpus=vcpus, memory_gib=memory_gib, chips=chips, chip=chip, domain_chips=domain or chips,
        network_gbps=gbps, network_cards=cards, efa_interfaces=cards if efa is None else efa,
        card_interfaces=interfaces, interface_addresses=addresses, nvme_gb=nvme_gb, capacities=capacities,
        price=ec2_price(usd), source=source,
    )  # fmt: skip


_NO_BLOCKS = frozenset((Capacity.ON_DEMAND, Capacity.SPOT))
_NO_SPOT = frozenset((Capacity.ON_DEMAND, Capacity.CAPACITY_BLOCK))

# vCPUs, GiB, chips, network, disks [EC2]; USD an hour [PRICE]
ROWS = (
    _type(
        "trn1.2xlarge", 8, 32, TRAINIUM1, 1, gbps=3.125, cards=1, efa=0, interfaces=4, addresses=15, nvme_gb=474,
        usd=1.34375, capacities=_NO_BLOCKS,
    ),
    _type("trn1.32xlarge", 128, 512, TRAINIUM1, 16, gbps=800, cards=8, interfaces=5, nvme_gb=7600, usd=21.5),
    _type(
        "trn1n.32xlarge", 128, 512, TRAINIUM1, 16, gbps=1600, cards=16, interfaces=5, nvme_gb=7600, usd=24.78,
        capacities=_NO_BLOCKS,
    ),
    _type("trn2.3xlarge", 12, 128, TRAINIUM2, 1, gbps=200, cards=1, interfaces=2, addresses=15, nvme_gb=470),
    _type("trn2.48xlarge", 192, 2048, TRAINIUM2, 16, gbps=3200, cards=16, interfaces=2, nvme_gb=7600),
    # A quarter of an UltraServer: NeuronLink joins the chips of four machines.
    _type(
        "trn2u.48xlarge", 192, 2048, TRAINIUM2, 16, gbps=3200, cards=16, interfaces=2, nvme_gb=7600, domain=64,
        capacities=_NO_SPOT, source="EC2+NEURON",
    ),
)  # fmt: skip
