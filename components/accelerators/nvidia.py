"""NVIDIA's chips and EC2's machine types that carry them."""

from __future__ import annotations

from .model import GIGA, TERA, AllReduce, Anchor, Capacity, Chip, InstanceType, Precision, Vendor
from .sources import block_price, ec2_price


def _peaks(**tera: float) -> dict[Precision, float]:
    """Peaks given in TFLOP/s."""
    return {Precision(name): value * TERA for name, value in tera.items()}


def _sources(sheet: str) -> dict[str, str]:
    """Memory as EC2 reports it, everything else of the chip's data sheet."""
    numbers = ("peak_flops", "memory_bytes_per_s", "link_bytes_per_s", "power_w")
    return {"memory_gib": "EC2", **dict.fromkeys(numbers, sheet)}


A10G = Chip(
    name="A10G", vendor=Vendor.NVIDIA, memory_gib=22888 / 1024, peak_flops=_peaks(fp32=31.5, tf32=35, bf16=70),
    memory_bytes_per_s=600 * GIGA, power_w=300, sources=_sources("A10G?"),
)  # fmt: skip
L4 = Chip(
    name="L4", vendor=Vendor.NVIDIA, memory_gib=22888 / 1024, peak_flops=_peaks(fp32=30.3, tf32=60, bf16=121, fp8=242),
    memory_bytes_per_s=300 * GIGA, power_w=72, sources=_sources("L4"),
)  # fmt: skip
L40S = Chip(
    name="L40S", vendor=Vendor.NVIDIA, memory_gib=45776 / 1024,
    peak_flops=_peaks(fp32=91.6, tf32=183, bf16=362, fp8=733),
    memory_bytes_per_s=864 * GIGA, power_w=350, sources=_sources("L40S"),
)  # fmt: skip
_A100_MFU = (Anchor(value=0.542, what="GPT 530 B, Megatron-LM", source="MEGATRON", chips=2240),)
_A100_MATMUL = Anchor(value=271 * TERA, what="bf16 matrix multiplication", source="MAMF", chips=1)
A100_40 = Chip(
    name="A100 40GB", vendor=Vendor.NVIDIA, memory_gib=40, peak_flops=_peaks(fp32=19.5, tf32=156, bf16=312),
    memory_bytes_per_s=1.555 * TERA, link="NVLink 3", link_bytes_per_s=600 * GIGA, power_w=400,
    matmul_flops=_A100_MATMUL, training_mfu=_A100_MFU, sources=_sources("A100"),
)  # fmt: skip
A100_80 = Chip(
    name="A100 80GB", vendor=Vendor.NVIDIA, memory_gib=80, peak_flops=_peaks(fp32=19.5, tf32=156, bf16=312),
    memory_bytes_per_s=2.039 * TERA, link="NVLink 3", link_bytes_per_s=600 * GIGA, power_w=400,
    matmul_flops=_A100_MATMUL, training_mfu=_A100_MFU, sources=_sources("A100"),
)  # fmt: skip
_HOPPER = _peaks(fp32=67, tf32=494, bf16=989, fp8=1979)
H100 = Chip(
    name="H100", vendor=Vendor.NVIDIA, memory_gib=80, peak_flops=_HOPPER, memory_bytes_per_s=3.35 * TERA,
    link="NVLink 4", link_bytes_per_s=900 * GIGA, power_w=700,
    matmul_flops=Anchor(value=794.5 * TERA, what="bf16 matrix multiplication", source="MAMF", chips=1),
    training_mfu=(
        Anchor(value=0.497, what="Llama 2 7B, MaxText", source="MAXTEXT", chips=8),
        Anchor(value=0.43, what="Llama 3 405B at 8,192 tokens", source="LLAMA3?", chips=8192),
        Anchor(value=0.41, what="Llama 3 405B at 8,192 tokens", source="LLAMA3?", chips=16384),
        Anchor(value=0.43, what="a model of 1 B parameters, JAX", source="JAX-1B?", chips=8),
    ),
    sources=_sources("HGX"),
)  # fmt: skip
H200 = Chip(
    name="H200", vendor=Vendor.NVIDIA, memory_gib=141, peak_flops=_HOPPER, memory_bytes_per_s=4.8 * TERA,
    link="NVLink 4", link_bytes_per_s=900 * GIGA, power_w=700, sources=_sources("HGX"),
)  # fmt: skip
B200 = Chip(
    name="B200", vendor=Vendor.NVIDIA, memory_gib=183359 / 1024,
    peak_flops=_peaks(fp32=75, tf32=1125, bf16=2250, fp8=4500, fp4=9000), memory_bytes_per_s=8.0 * TERA,
    link="NVLink 5", link_bytes_per_s=1.8 * TERA, power_w=1000,
    matmul_flops=Anchor(value=1745 * TERA, what="bf16 matrix multiplication", source="MAMF", chips=1),
    sources=_sources("HGX"),
)  # fmt: skip
B300 = Chip(
    name="B300", vendor=Vendor.NVIDIA, memory_gib=275040 / 1024,
    peak_flops=_peaks(fp32=75, tf32=1125, bf16=2250, fp8=4500, fp4=13500), memory_bytes_per_s=8.0 * TERA,
    link="NVLink 5", link_bytes_per_s=1.8 * TERA, sources=_sources("B300?"),
)  # fmt: skip
GB200 = Chip(
    name="GB200", vendor=Vendor.NVIDIA, memory_gib=185,
    peak_flops=_peaks(fp32=80, tf32=1250, bf16=2500, fp8=5000, fp4=10000), memory_bytes_per_s=8.0 * TERA,
    link="NVLink 5", link_bytes_per_s=1.8 * TERA, power_w=1200, sources={**_sources("NVL72?"), "memory_gib": "P6E?"},
)  # fmt: skip

_BLOCKS = frozenset(Capacity)


def _g(
    name: str, vcpus: int, memory_gib: int, chips: int, chip: Chip, *, gbps: float, interfaces: int, addresses: int,
    nvme_gb: int, usd: float, efa: int = 0,
) -> InstanceType:  # fmt: skip
    """A G type: its chips have PCIe between them, and a fabric of at most one adapter a card."""
    return InstanceType(
        name=name, vcpus=vcpus, memory_gib=memory_gib, chips=chips, chip=chip, network_gbps=gbps,
        network_cards=max(1, efa), efa_interfaces=efa, card_interfaces=interfaces, interface_addresses=addresses,
        nvme_gb=nvme_gb, price=ec2_price(usd), source="EC2",
    )  # fmt: skip


def _p(
    name: str, vcpus: int, memory_gib: int, chip: Chip, *, gbps: float, cards: int, interfaces: int,
    nvme_gb: int, usd: float | None, block: float | None = None, chips: int = 8, addresses: int = 50,
    first_efa_card: int = 0, all_reduce: tuple[AllReduce, ...] = (),
) -> InstanceType:  # fmt: skip
    """A P type: NVLink between its chips, an adapter on every card from ``first_efa_card`` on, capacity blocks."""
    return InstanceType(
        name=name, vcpus=vcpus, memory_gib=memory_gib, chips=chips, chip=chip, domain_chips=chips, network_gbps=gbps,
        network_cards=cards, efa_interfaces=cards - first_efa_card, first_efa_card=first_efa_card,
        card_interfaces=interfaces, interface_addresses=addresses, nvme_gb=nvme_gb, capacities=_BLOCKS,
        price=ec2_price(usd), block_price=block_price(block, chips), all_reduce=all_reduce, source="EC2",
    )  # fmt: skip


_TWO_P5 = (
    AllReduce(nodes=2, message_bytes=128 << 20, bus_bytes_per_s=288 * GIGA, source="AICR?"),
    AllReduce(nodes=2, message_bytes=16 << 30, bus_bytes_per_s=487 * GIGA, source="AICR?"),
)

# vCPUs, GiB, chips, network, disks [EC2]; USD an hour [PRICE]; USD an hour and chip in a block [BLOCK?]
ROWS = (
    _g("g5.xlarge", 4, 16, 1, A10G, gbps=2.5, interfaces=4, addresses=15, nvme_gb=250, usd=1.006),
    _g("g5.2xlarge", 8, 32, 1, A10G, gbps=5, interfaces=4, addresses=15, nvme_gb=450, usd=1.212),
    _g("g5.4xlarge", 16, 64, 1, A10G, gbps=10, interfaces=8, addresses=30, nvme_gb=600, usd=1.624),
    _g("g5.8xlarge", 32, 128, 1, A10G, gbps=25, interfaces=8, addresses=30, nvme_gb=900, usd=2.448, efa=1),
    _g("g5.12xlarge", 48, 192, 4, A10G, gbps=40, interfaces=15, addresses=50, nvme_gb=3800, usd=5.672, efa=1),
    _g("g5.16xlarge", 64, 256, 1, A10G, gbps=25, interfaces=8, addresses=30, nvme_gb=1900, usd=4.096, efa=1),
    _g("g5.24xlarge", 96, 384, 4, A10G, gbps=50, interfaces=15, addresses=50, nvme_gb=3800, usd=8.144, efa=1),
    _g("g5.48xlarge", 192, 768, 8, A10G, gbps=100, interfaces=7, addresses=50, nvme_gb=7600, usd=16.288, efa=1),
    _g("g6.xlarge", 4, 16, 1, L4, gbps=2.5, interfaces=4, addresses=15, nvme_gb=250, usd=0.8048),
    _g("g6.2xlarge", 8, 32, 1, L4, gbps=5, interfaces=4, addresses=15, nvme_gb=450, usd=0.9776),
    _g("g6.4xlarge", 16, 64, 1, L4, gbps=10, interfaces=8, addresses=30, nvme_gb=600, usd=1.3232),
    _g("g6.8xlarge", 32, 128, 1, L4, gbps=25, interfaces=8, addresses=30, nvme_gb=900, usd=2.0144, efa=1),
    _g("g6.12xlarge", 48, 192, 4, L4, gbps=40, interfaces=8, addresses=30, nvme_gb=3760, usd=4.6016, efa=1),
    _g("g6.16xlarge", 64, 256, 1, L4, gbps=25, interfaces=15, addresses=50, nvme_gb=1880, usd=3.3968, efa=1),
    _g("g6.24xlarge", 96, 384, 4, L4, gbps=50, interfaces=15, addresses=50, nvme_gb=3760, usd=6.6752, efa=1),
    _g("g6.48xlarge", 192, 768, 8, L4, gbps=100, interfaces=15, addresses=50, nvme_gb=7520, usd=13.3504, efa=1),
    _g("g6e.xlarge", 4, 32, 1, L40S, gbps=2.5, interfaces=4, addresses=15, nvme_gb=250, usd=1.861),
    _g("g6e.2xlarge", 8, 64, 1, L40S, gbps=5, interfaces=4, addresses=15, nvme_gb=450, usd=2.24208),
    _g("g6e.4xlarge", 16, 128, 1, L40S, gbps=20, interfaces=8, addresses=30, nvme_gb=600, usd=3.00424),
    _g("g6e.8xlarge", 32, 256, 1, L40S, gbps=25, interfaces=8, addresses=30, nvme_gb=900, usd=4.52856, efa=1),
    _g("g6e.12xlarge", 48, 384, 4, L40S, gbps=100, interfaces=10, addresses=30, nvme_gb=3800, usd=10.49264, efa=1),
    _g("g6e.16xlarge", 64, 512, 1, L40S, gbps=35, interfaces=15, addresses=50, nvme_gb=1900, usd=7.57719, efa=1),
    _g("g6e.24xlarge", 96, 768, 4, L40S, gbps=200, interfaces=10, addresses=50, nvme_gb=3800, usd=15.06559, efa=2),
    _g("g6e.48xlarge", 192, 1536, 8, L40S, gbps=400, interfaces=10, addresses=50, nvme_gb=7600, usd=30.13118, efa=4),
    _p("p4d.24xlarge", 96, 1152, A100_40, gbps=400, cards=4, interfaces=15, nvme_gb=8000, usd=21.957642, block=1.696),
    _p("p4de.24xlarge", 96, 1152, A100_80, gbps=400, cards=4, interfaces=15, nvme_gb=8000, usd=27.44705, block=2.546),
    _p("p5.4xlarge", 16, 256, H100, gbps=100, cards=1, interfaces=4, nvme_gb=3800, usd=6.88, chips=1, addresses=30),
    _p(
        "p5.48xlarge", 192, 2048, H100, gbps=3200, cards=32, interfaces=2, nvme_gb=30400, usd=55.04, block=5.97,
        all_reduce=_TWO_P5,
    ),
    _p("p5e.48xlarge", 192, 2048, H200, gbps=3200, cards=32, interfaces=2, nvme_gb=30400, usd=None, block=6.866),
    _p("p5en.48xlarge", 192, 2048, H200, gbps=3200, cards=16, interfaces=4, nvme_gb=30400, usd=63.296, block=7.895),
    _p(
        "p6-b200.48xlarge", 192, 2048, B200, gbps=3200, cards=8, interfaces=4, nvme_gb=30400, usd=113.9328,
        block=14.208,
    ),
    # Card 0 takes no EFA: EC2 lists it with ordinary interfaces only.
    _p(
        "p6-b300.48xlarge", 192, 4096, B300, gbps=6400, cards=17, interfaces=4, nvme_gb=30400, usd=142.416,
        block=16.146,        first_efa_card=1,
    ),
    # One of the 18 machines of an UltraServer: NVLink joins the chips of all. How its adapters lie on its cards is not
    # published with the type's description.
    InstanceType(
        name="p6e-gb200.36xlarge", vcpus=144, memory_gib=960, chips=4, chip=GB200, domain_chips=72,
        architecture="arm64", network_gbps=1600, efa_interfaces=4, first_efa_card=None, nvme_gb=22500,
        network_cards=4, capacities=frozenset((Capacity.CAPACITY_BLOCK,)), source="P6E?",
    ),
)  # fmt: skip
