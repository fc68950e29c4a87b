"""What a row of the catalogue is: chips, machine types, prices and what was measured on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

GIGA = 10**9
TERA = 10**12

EFA_RESOURCE = "vpc.amazonaws.com/efa"
HUGE_PAGES_RESOURCE = "hugepages-2Mi"
HUGE_PAGES_MIB = 5120  # EC2 guide's EKS example for p5: 5120Mi of 2 MiB pages a pod


class Vendor(StrEnum):
    """Who makes the chips; it decides the AMI, the device plugin and the taint."""

    NONE = "none"
    NVIDIA = "nvidia"
    NEURON = "neuron"
    GOOGLE = "google"


class Cloud(StrEnum):
    """Who rents the machine out."""

    AWS = "aws"
    GOOGLE = "google"


class Precision(StrEnum):
    """The numbers that a matrix multiplication takes in."""

    FP32 = "fp32"
    TF32 = "tf32"
    BF16 = "bf16"
    FP8 = "fp8"
    FP4 = "fp4"
    INT8 = "int8"


class Capacity(StrEnum):
    """How machines of a type can be bought."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    CAPACITY_BLOCK = "capacity_block"


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Something that was measured and published: what a plan may hope for, and no promise.

    Attributes:
        value: the measurement, in the unit of the field that holds it.
        what: what was run.
        source: where it is published, a tag of ``SOURCES``.
        chips: how many chips it ran on; ``None`` where that is not said.
    """

    value: float
    what: str
    source: str
    chips: int | None = None


@dataclass(frozen=True, kw_only=True)
class AllReduce:
    """An all-reduce over healthy machines that was measured and published.

    Attributes:
        nodes: how many machines took part, with all their chips.
        message_bytes: the buffer of each chip.
        bus_bytes_per_s: bus bandwidth as nccl-tests reckons it, byte/s.
        source: where it is published, a tag of ``SOURCES``.
    """

    nodes: int
    message_bytes: int
    bus_bytes_per_s: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One accelerator chip.

    Attributes:
        name: the maker's name of it.
        vendor: who makes it.
        memory_gib: device memory, GiB.
        devices: how many devices JAX shows of one, each with an equal part of its numbers.
        peak_flops: dense matrix multiplications by precision, FLOP/s (operations/s for int8), without sparsity. A
            precision that is not there is unknown or not built in.
        memory_bytes_per_s: device memory bandwidth, byte/s.
        link: what joins the chips of a domain; ``None`` where only PCIe or the network does.
        link_bytes_per_s: bandwidth of one chip on that link, both directions together, byte/s; ``None`` is unknown.
        power_w: thermal design power, W; ``None`` is unpublished.
        matmul_flops: the fastest bf16 matrix multiplication that somebody published, FLOP/s.
        training_mfu: what part of the bf16 peak whole trainings reached, best public stacks first.
        sources: the tag of ``SOURCES`` of each number above.
    """

    name: str
    vendor: Vendor
    memory_gib: float
    devices: int = 1
    peak_flops: Mapping[Precision, float] = field(hash=False)
    memory_bytes_per_s: float
    link: str | None = None
    link_bytes_per_s: float | None = None
    power_w: float | None = None
    matmul_flops: Anchor | None = None
    training_mfu: tuple[Anchor, ...] = ()
    sources: Mapping[str, str] = field(hash=False)

    @property
    def peak_bf16_flops(self) -> float:
        """Dense bf16, FLOP/s: the peak that an MFU is a part of."""
        return self.peak_flops[Precision.BF16]


@dataclass(frozen=True, kw_only=True)
class Price:
    """What an hour costs, with the region, the day and the place where that was read."""

    usd_per_hour: float
    region: str
    read_on: str
    source: str


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """One machine type.

    Attributes:
        name: EC2's or Compute Engine's name.
        cloud: who rents it out.
        vcpus: virtual CPUs.
        memory_gib: main memory, GiB.
        chips: accelerator chips in one machine; 0 on CPU types.
        chip: which chip; ``None`` on CPU types.
        domain_chips: chips that reach each other over the chip's link (NVLink, NeuronLink, ICI), in this machine or
            across machines; 1 where there is no link.
        architecture: of the CPU.
        network_gbps: network bandwidth, Gbit/s: the baseline where EC2 says "up to".
        network_cards: network cards in one machine.
        efa_interfaces: Elastic Fabric Adapters that it takes; 0 where it has none.
        first_efa_card: the first card that takes one; they are one a card from there on. ``None``: the layout is
            unknown, and no launch template can be made.
        card_interfaces: network interfaces on card 0, which carries the machine's and its pods' addresses.
        interface_addresses: IPv4 addresses on one interface, its own included.
        nvme_gb: instance store, GB.
        capacities: how it can be bought.
        price: on demand, Linux; ``None`` is unknown, never free.
        block_price: in a capacity block, which is paid in advance; the operating system apart. ``None`` is unknown.
        gke_accelerator: GKE's name of the chips, a node label; ``None`` on EC2.
        all_reduce: what healthy machines reached together, by their number and the message; empty where nobody tells.
        source: the tag of ``SOURCES`` of the numbers above, prices apart.
    """

    name: str
    cloud: Cloud = Cloud.AWS
    vcpus: int
    memory_gib: int
    chips: int = 0
    chip: Chip | None = None
    domain_chips: int = 1
    architecture: str = "x86_64"
    network_gbps: float | None = None
    network_cards: int = 1
    efa_interfaces: int = 0
    first_efa_card: int | None = 0
    card_interfaces: int | None = None
    interface_addresses: int | None = None
    nvme_gb: int = 0
    capacities: frozenset[Capacity] = frozenset((Capacity.ON_DEMAND, Capacity.SPOT))
    price: Price | None = None
    block_price: Price | None = None
    gke_accelerator: str | None = None
    all_reduce: tuple[AllReduce, ...] = ()
    source: str

    @property
    def vendor(self) -> Vendor:
        """The maker of the chips, :attr:`Vendor.NONE` on CPU types."""
        return self.chip.vendor if self.chip else Vendor.NONE

    @property
    def family(self) -> str:
        """The part of the name before the size."""
        return self.name.partition(".")[0]

    @property
    def nvme(self) -> bool:
        """Whether it carries instance store disks."""
        return self.nvme_gb > 0

    @property
    def ami_type(self) -> str | None:
        """EKS's AMI type (EKS guide, "Create nodes with optimized Amazon Linux images"); ``None`` outside EC2."""
        return _AMI_TYPES.get((self.vendor, self.architecture)) if self.cloud is Cloud.AWS else None

    @property
    def device_resource(self) -> str | None:
        """The extended resource that one chip is to Kubernetes, or ``None`` on CPU types."""
        return _DEVICE_RESOURCES[self.vendor]

    @property
    def devices(self) -> int:
        """How many devices JAX shows on one machine; 0 on CPU types."""
        return self.chips * self.chip.devices if self.chip else 0

    @property
    def peak_bf16_flops(self) -> float | None:
        """Dense bf16 FLOP/s of the whole machine; ``None`` on CPU types, where it is not known."""
        return self.chips * self.chip.peak_bf16_flops if self.chip else None

    def price_of(self, capacity: Capacity) -> Price | None:
        """What an hour costs when it is bought so; ``None`` is unknown. Spot is a market, and always unknown."""
        prices = {Capacity.ON_DEMAND: self.price, Capacity.CAPACITY_BLOCK: self.block_price}
        return prices.get(capacity)

    def max_pods(self, efa_interfaces: int) -> int | None:
        """Pods that get an address of the VPC's on one machine with so many EFA interfaces; ``None`` is unknown.

        Every interface of card 0 lends its secondary addresses to pods, and two pods use the host's network; an EFA
        interface on card 0 takes the place of one (VPC CNI, ``eni-max-pods.txt``). EKS's cap is 110 pods on machines
        with fewer than 30 vCPUs and 250 on others.
        """
        if self.card_interfaces is None or self.interface_addresses is None:
            return None
        lending = self.card_interfaces - (1 if efa_interfaces and self.first_efa_card == 0 else 0)
        return min(lending * (self.interface_addresses - 1) + 2, 110 if self.vcpus < 30 else 250)

    def pod_resources(self, efa_interfaces: int | None = None) -> dict[str, str]:
        """What a pod that takes the whole machine asks for beside CPU and memory: chips, fabric, huge pages.

        The libfabric EFA provider takes huge pages for its buffers; without them it falls back to slower paths. They
        are asked for where they are: the installer of EFA's driver reserves 5128 of them (EKS guide, "Run machine
        learning training on Amazon EKS with Elastic Fabric Adapter"), and of the pinned AMIs those for CPUs lack it
        (amazon-eks-ami, release 20260128, package ``efa``).
        """
        adapters = self.efa_interfaces if efa_interfaces is None else efa_interfaces
        resources: dict[str, str] = {}
        if self.device_resource:
            resources[self.device_resource] = str(self.chips)
        if adapters:
            resources[EFA_RESOURCE] = str(adapters)
        if adapters and self.chip:
            resources[HUGE_PAGES_RESOURCE] = f"{HUGE_PAGES_MIB}Mi"
        return resources

    def row(self) -> dict[str, Any]:
        """What a job on the machine may know of it, as plain JSON values. What it costs is not among it."""
        return {
            "instance_type": self.name,
            "vendor": self.vendor.value,
            "vcpus": self.vcpus,
            "memory_gib": self.memory_gib,
            "chips": self.chips,
            "devices": self.devices,
            "chip": _chip_row(self.chip) if self.chip else None,
            "domain_chips": self.domain_chips,
            "network_gbps": self.network_gbps,
            "efa_interfaces": self.efa_interfaces,
            "device_resource": self.device_resource,
            "peak_bf16_flops": self.peak_bf16_flops,
            "all_reduce": [
                {"nodes": one.nodes, "message_bytes": one.message_bytes, "bytes_per_s": one.bus_bytes_per_s}
                for one in self.all_reduce
            ],
        }


def _chip_row(chip: Chip) -> dict[str, Any]:
    return {
        "name": chip.name,
        "memory_gib": chip.memory_gib,
        "memory_bytes_per_s": chip.memory_bytes_per_s,
        "link_bytes_per_s": chip.link_bytes_per_s,
        "peak_flops": {precision.value: flops for precision, flops in chip.peak_flops.items()},
        "peak_bf16_flops": chip.peak_bf16_flops,
    }


_AMI_TYPES = {
    (Vendor.NONE, "x86_64"): "AL2023_x86_64_STANDARD",
    (Vendor.NONE, "arm64"): "AL2023_ARM_64_STANDARD",
    (Vendor.NVIDIA, "x86_64"): "AL2023_x86_64_NVIDIA",
    (Vendor.NVIDIA, "arm64"): "AL2023_ARM_64_NVIDIA",
    (Vendor.NEURON, "x86_64"): "AL2023_x86_64_NEURON",
}
_DEVICE_RESOURCES = {
    Vendor.NONE: None,
    Vendor.NVIDIA: "nvidia.com/gpu",
    Vendor.NEURON: "aws.amazon.com/neuron",
    Vendor.GOOGLE: "google.com/tpu",
}
