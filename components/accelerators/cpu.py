"""CPU machine types: where add-ons, data preparation and everything without an accelerator runs."""

from __future__ import annotations

from .model import InstanceType
from .sources import ec2_price


def _type(
    name: str, vcpus: int, memory_gib: int, gbps: float, interfaces: int, addresses: int, usd: float, efa: int = 0
) -> InstanceType:
    return InstanceType(
        name=name, vcpus=vcpus, memory_gib=memory_gib, network_gbps=gbps, efa_interfaces=efa,
        card_interfaces=interfaces, interface_addresses=addresses, price=ec2_price(usd), source="EC2",
    )  # fmt: skip


# name, vCPUs, GiB, Gbit/s, interfaces, addresses each [EC2]; USD an hour [PRICE]
ROWS = (
    _type("m7i.large", 2, 8, 0.781, 3, 10, 0.1008),
    _type("m7i.xlarge", 4, 16, 1.562, 4, 15, 0.2016),
    _type("m7i.2xlarge", 8, 32, 3.125, 4, 15, 0.4032),
    _type("m7i.4xlarge", 16, 64, 6.25, 8, 30, 0.8064),
    _type("m7i.8xlarge", 32, 128, 12.5, 8, 30, 1.6128),
    _type("m7i.12xlarge", 48, 192, 18.75, 8, 30, 2.4192),
    _type("m7i.16xlarge", 64, 256, 25, 15, 50, 3.2256),
    _type("m7i.24xlarge", 96, 384, 37.5, 15, 50, 4.8384),
    _type("m7i.48xlarge", 192, 768, 50, 15, 50, 9.6768, efa=1),
    _type("c7i.large", 2, 4, 0.781, 3, 10, 0.08925),
    _type("c7i.xlarge", 4, 8, 1.562, 4, 15, 0.1785),
    _type("c7i.2xlarge", 8, 16, 3.125, 4, 15, 0.357),
    _type("c7i.4xlarge", 16, 32, 6.25, 8, 30, 0.714),
    _type("c7i.8xlarge", 32, 64, 12.5, 8, 30, 1.428),
    _type("c7i.12xlarge", 48, 96, 18.75, 8, 30, 2.142),
    _type("c7i.16xlarge", 64, 128, 25, 15, 50, 2.856),
    _type("c7i.24xlarge", 96, 192, 37.5, 15, 50, 4.284),
    _type("c7i.48xlarge", 192, 384, 50, 15, 50, 8.568, efa=1),
    _type("r7i.large", 2, 16, 0.781, 3, 10, 0.1323),
    _type("r7i.xlarge", 4, 32, 1.562, 4, 15, 0.2646),
    _type("r7i.2xlarge", 8, 64, 3.125, 4, 15, 0.5292),
    _type("r7i.4xlarge", 16, 128, 6.25, 8, 30, 1.0584),
    _type("r7i.8xlarge", 32, 256, 12.5, 8, 30, 2.1168),
    _type("r7i.12xlarge", 48, 384, 18.75, 8, 30, 3.1752),
    _type("r7i.16xlarge", 64, 512, 25, 15, 50, 4.2336),
    _type("r7i.24xlarge", 96, 768, 37.5, 15, 50, 6.3504),
    _type("r7i.48xlarge", 192, 1536, 50, 15, 50, 12.7008, efa=1),
)
