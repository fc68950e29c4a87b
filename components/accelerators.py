"""The catalogue: what each instance type is. The one source of these numbers for launch templates, pods and floors.

Sources, named beside the numbers by their tag:

- [EC2]   vCPU, memory, chips and their memory, network cards, EFA interfaces: ``DescribeInstanceTypes``
          (the copy that moto 5.2 carries; device memory there in MiB).
- [EFA]   EFA interfaces a type: awslabs/awsome-distributed-training ``instance-profiles.conf`` and the EC2 guide's
          table "Maximize network bandwidth with EFA on accelerated computing instances".
- [HGX]   peak dense bf16 and memory bandwidth of H100, H200, B200: NVIDIA's data sheets (H100 SXM 989 TFLOP/s and
          3.35 TB/s, H200 989 and 4.8, B200 2,250 and 8.0). The sheets' headline numbers with sparsity are twice these.
- [L4]    NVIDIA L4 data sheet: 121 TFLOP/s dense bf16, 0.3 TB/s.
- [TRN2]  AWS Neuron documentation, "Trainium2 architecture": 667 TFLOP/s dense bf16, 96 GiB and 2.9 TB/s a chip.
          ``DescribeInstanceTypes`` gives the memory of a trn2 machine wrongly (512 GiB a device), so it is not used.
- [PRICE] on demand, Linux, us-east-1, read on 2026-11-24 second-hand (public repositories that quote the price list
          and agree with each other). Good for an estimate; ask the Price List API before budgeting.
- [AMI]   EKS guide, "Create nodes with optimized Amazon Linux images": one AMI type for NVIDIA, one for Neuron.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

TERA = 10**12


class Vendor(StrEnum):
    """Who makes the chips; it decides the AMI, the device plugin and the taint."""

    NONE = "none"
    NVIDIA = "nvidia"
    NEURON = "neuron"


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One accelerator chip.

    Attributes:
        name: the maker's name of it.
        vendor: who makes it.
        memory_gib: device memory of one chip, GiB.
        peak_bf16_flops: dense matrix multiplications in bf16, FLOP/s, without sparsity.
        memory_bytes_per_s: device memory bandwidth, byte/s.
    """

    name: str
    vendor: Vendor
    memory_gib: float
    peak_bf16_flops: float
    memory_bytes_per_s: float


@dataclass(frozen=True, kw_only=True)
class Price:
    """What an hour on demand costs, with the day and the place where that was read [PRICE]."""

    usd_per_hour: float
    region: str = "us-east-1"
    read_on: str = "2026-11-24"
    source: str = "public repositories quoting the EC2 price list"


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """One instance type.

    Attributes:
        name: EC2's name.
        vcpus: virtual CPUs.
        memory_gib: main memory, GiB.
        chips: accelerator chips in one machine; 0 on CPU types.
        chip: which chip; ``None`` on CPU types.
        network_cards: network cards in one machine.
        efa_interfaces: Elastic Fabric Adapters, one a card from card 0 on; 0 where the type has none.
        nvme: whether it carries instance store disks.
        price: on demand, Linux; ``None`` is unknown, never free.
    """

    name: str
    vcpus: int
    memory_gib: int
    chips: int = 0
    chip: Chip | None = None
    network_cards: int = 1
    efa_interfaces: int = 0
    nvme: bool = False
    price: Price | None = None

    @property
    def vendor(self) -> Vendor:
        """The maker of the chips, :attr:`Vendor.NONE` on CPU types."""
        return self.chip.vendor if self.chip else Vendor.NONE

    @property
    def ami_type(self) -> str:
        """EKS's AMI type [AMI]."""
        return _AMI_TYPES[self.vendor]

    @property
    def device_resource(self) -> str | None:
        """The extended resource that one chip is to Kubernetes, or ``None`` on CPU types."""
        return _DEVICE_RESOURCES[self.vendor]

    @property
    def peak_bf16_flops(self) -> float | None:
        """Dense bf16 FLOP/s of the whole machine; ``None`` on CPU types, where it is not known."""
        return self.chips * self.chip.peak_bf16_flops if self.chip else None

    def pod_resources(self) -> dict[str, str]:
        """What a pod that takes the whole machine asks for beside CPU and memory: chips, fabric, huge pages.

        The libfabric EFA provider takes huge pages for its buffers; without them it falls back to slower paths.
        """
        resources: dict[str, str] = {}
        if self.device_resource:
            resources[self.device_resource] = str(self.chips)
        if self.efa_interfaces:
            resources[EFA_RESOURCE] = str(self.efa_interfaces)
            resources[HUGE_PAGES_RESOURCE] = f"{HUGE_PAGES_MIB}Mi"
        return resources

    def row(self) -> dict[str, Any]:
        """This catalogue row as plain JSON values, as a job on the machine receives it."""
        return {
            **asdict(self),
            "instance_type": self.name,
            "vendor": self.vendor.value,
            "device_resource": self.device_resource,
            "peak_bf16_flops": self.peak_bf16_flops,
        }


EFA_RESOURCE = "vpc.amazonaws.com/efa"
HUGE_PAGES_RESOURCE = "hugepages-2Mi"
HUGE_PAGES_MIB = 5120  # EC2 guide's EKS example for p5: 5120Mi of 2 MiB pages a pod

_AMI_TYPES = {
    Vendor.NONE: "AL2023_x86_64_STANDARD",
    Vendor.NVIDIA: "AL2023_x86_64_NVIDIA",
    Vendor.NEURON: "AL2023_x86_64_NEURON",
}
_DEVICE_RESOURCES = {
    Vendor.NONE: None,
    Vendor.NVIDIA: "nvidia.com/gpu",
    Vendor.NEURON: "aws.amazon.com/neuron",
}

# Memory [EC2], speed [L4] [HGX] [TRN2].
L4 = Chip(
    name="L4", vendor=Vendor.NVIDIA, memory_gib=22888 / 1024, peak_bf16_flops=121 * TERA, memory_bytes_per_s=0.3 * TERA
)
H100 = Chip(
    name="H100", vendor=Vendor.NVIDIA, memory_gib=80, peak_bf16_flops=989 * TERA, memory_bytes_per_s=3.35 * TERA
)
H200 = Chip(
    name="H200", vendor=Vendor.NVIDIA, memory_gib=141, peak_bf16_flops=989 * TERA, memory_bytes_per_s=4.8 * TERA
)
B200 = Chip(
    name="B200",
    vendor=Vendor.NVIDIA,
    memory_gib=183359 / 1024,
    peak_bf16_flops=2250 * TERA,
    memory_bytes_per_s=8.0 * TERA,
)
TRAINIUM2 = Chip(
    name="Trainium2", vendor=Vendor.NEURON, memory_gib=96, peak_bf16_flops=667 * TERA, memory_bytes_per_s=2.9 * TERA
)

_ROWS = (
    InstanceType(
        name="m7i.large", vcpus=2, memory_gib=8, price=Price(usd_per_hour=0.1008)
    ),  # [EC2], as all vCPU, memory, card and chip counts below
    InstanceType(name="m7i.xlarge", vcpus=4, memory_gib=16, price=Price(usd_per_hour=0.2016)),
    InstanceType(name="m7i.2xlarge", vcpus=8, memory_gib=32, price=Price(usd_per_hour=0.4032)),
    InstanceType(name="m7i.4xlarge", vcpus=16, memory_gib=64, price=Price(usd_per_hour=0.8064)),
    InstanceType(name="c7i.large", vcpus=2, memory_gib=4, price=Price(usd_per_hour=0.08925)),
    InstanceType(name="c7i.xlarge", vcpus=4, memory_gib=8, price=Price(usd_per_hour=0.1785)),
    InstanceType(name="c7i.2xlarge", vcpus=8, memory_gib=16, price=Price(usd_per_hour=0.357)),
    InstanceType(name="c7i.4xlarge", vcpus=16, memory_gib=32, price=Price(usd_per_hour=0.714)),
    InstanceType(
        name="g6.xlarge", vcpus=4, memory_gib=16, chips=1, chip=L4, nvme=True, price=Price(usd_per_hour=0.8048)
    ),
    InstanceType(
        name="g6.8xlarge",
        vcpus=32,
        memory_gib=128,
        chips=1,
        chip=L4,
        efa_interfaces=1,
        nvme=True,
        price=Price(usd_per_hour=2.0144),
    ),
    InstanceType(
        name="g6.12xlarge",
        vcpus=48,
        memory_gib=192,
        chips=4,
        chip=L4,
        efa_interfaces=1,
        nvme=True,
        price=Price(usd_per_hour=4.6016),
    ),
    InstanceType(
        name="g6.48xlarge",
        vcpus=192,
        memory_gib=768,
        chips=8,
        chip=L4,
        efa_interfaces=1,
        nvme=True,
        price=Price(usd_per_hour=13.3504),
    ),
    InstanceType(  # [EFA] 32 cards
        name="p5.48xlarge",
        vcpus=192,
        memory_gib=2048,
        chips=8,
        chip=H100,
        network_cards=32,
        efa_interfaces=32,
        nvme=True,
        price=Price(usd_per_hour=55.04),
    ),
    InstanceType(  # [EFA] 16 cards
        name="p5en.48xlarge",
        vcpus=192,
        memory_gib=2048,
        chips=8,
        chip=H200,
        network_cards=16,
        efa_interfaces=16,
        nvme=True,
        price=Price(usd_per_hour=63.296),
    ),
    InstanceType(  # [EFA] 8 cards
        name="p6-b200.48xlarge",
        vcpus=192,
        memory_gib=2048,
        chips=8,
        chip=B200,
        network_cards=8,
        efa_interfaces=8,
        nvme=True,
        price=Price(usd_per_hour=113.9328),
    ),
    InstanceType(
        name="trn2.48xlarge",
        vcpus=192,
        memory_gib=2048,
        chips=16,
        chip=TRAINIUM2,
        network_cards=16,
        efa_interfaces=16,
        nvme=True,
    ),
)

CATALOGUE: Mapping[str, InstanceType] = MappingProxyType({row.name: row for row in _ROWS})
