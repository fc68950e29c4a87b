"""Google's TPUs and GKE's machine types that carry them. A slice spans machines: ``domain_chips`` is a whole pod."""

from __future__ import annotations

from .model import GIGA, TERA, Anchor, Capacity, Chip, Cloud, InstanceType, Precision, Price, Vendor

_NUMBERS = ("memory_gib", "peak_flops", "memory_bytes_per_s", "link_bytes_per_s")


def _chip(
    name: str, memory_gib: int, peaks: dict[Precision, float], gb_per_s: float, ici_gb_per_s: float, *mfu: Anchor,
    devices: int = 1,
) -> Chip:  # fmt: skip
    return Chip(
        name=name, vendor=Vendor.GOOGLE, memory_gib=memory_gib, devices=devices, link="ICI",
        memory_bytes_per_s=gb_per_s * GIGA,
        peak_flops={precision: tera * TERA for precision, tera in peaks.items()}, link_bytes_per_s=ici_gb_per_s * GIGA,
        training_mfu=mfu, sources=dict.fromkeys((*_NUMBERS, "devices"), "TPU"),
    )  # fmt: skip


_BF16, _FP8, _INT8 = Precision.BF16, Precision.FP8, Precision.INT8
# GiB; TFLOP/s; GB/s of memory; GB/s of ICI in both directions [TPU]
V5E = _chip("TPU v5e", 16, {_BF16: 197, _INT8: 393}, 819, 400)
V5P = _chip(
    "TPU v5p", 95, {_BF16: 459, _FP8: 459}, 2765, 1200,
    Anchor(value=0.654, what="a model of 70 B parameters, MaxText", source="MAXTEXT"),
)  # fmt: skip
V6E = _chip("TPU v6e", 32, {_BF16: 918, _FP8: 918, _INT8: 1836}, 1638, 800)
V7X = _chip("TPU7x", 192, {_BF16: 2307, _FP8: 4614}, 7380, 1200, devices=2)  # each of its two TensorCores is one

_PODS = {V5E.name: 256, V5P.name: 8960, V6E.name: 256, V7X.name: 9216}  # chips [TPU]
_LABELS = {  # GKE's node label cloud.google.com/gke-tpu-accelerator: cluster-toolkit, modules/internal/tpu-definition
    V5E.name: "tpu-v5-lite-podslice", V5P.name: "tpu-v5p-slice", V6E.name: "tpu-v6e-slice", V7X.name: "tpu7x",
}  # fmt: skip
_CHIP_PRICES = {V5E.name: (1.20, "TPU-PRICE?"), V5P.name: (4.20, "TPU-PRICE?"), V6E.name: (2.70, "TPU-PRICE")}


def _type(name: str, vcpus: int, memory_gib: int, chips: int, chip: Chip) -> InstanceType:
    return InstanceType(
        name=name, cloud=Cloud.GOOGLE, vcpus=vcpus, memory_gib=memory_gib, chips=chips, chip=chip,
        domain_chips=_PODS[chip.name], first_efa_card=None, capacities=frozenset((Capacity.ON_DEMAND, Capacity.SPOT)),
        price=_price(chip, chips), gke_accelerator=_LABELS[chip.name], source="GKE?",
    )  # fmt: skip


def _price(chip: Chip, chips: int) -> Price | None:
    if chip.name not in _CHIP_PRICES:
        return None
    usd, source = _CHIP_PRICES[chip.name]
    return Price(usd_per_hour=round(usd * chips, 4), region="us-central1", read_on="2026-11-24", source=source)


# vCPUs, GiB, chips of one machine [GKE?]
ROWS = (
    _type("ct5lp-hightpu-1t", 24, 48, 1, V5E),
    _type("ct5lp-hightpu-4t", 112, 192, 4, V5E),
    _type("ct5lp-hightpu-8t", 224, 384, 8, V5E),
    _type("ct5p-hightpu-4t", 208, 448, 4, V5P),
    _type("ct6e-standard-1t", 44, 176, 1, V6E),
    _type("ct6e-standard-4t", 180, 720, 4, V6E),
    _type("ct6e-standard-8t", 180, 1440, 8, V6E),
    _type("tpu7x-standard-4t", 224, 960, 4, V7X),
)
