"""The page of the catalogue: every chip and machine type with its numbers, where they come from and of when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from components.accelerators import (
    CATALOGUE,
    GIGA,
    OFFERS_SOURCE,
    SOURCES,
    TERA,
    AllReduce,
    Anchor,
    Capacity,
    Chip,
    Cloud,
    InstanceType,
    Precision,
    Price,
    regions_with,
    zones_of,
)
from components.settings import REGIONS

UNKNOWN = "unknown"
_HEAD = """# The catalogue

Made from `components/accelerators` by `make docs`: do not edit. Prices are for one hour of a machine, Linux, in the
region and of the day beside them; ask the price list before budgeting. `unknown` means that nobody publishes it, that
the chip cannot do it, or that no source was at hand: it is never taken for zero. A source that ends in `?` was only
seen second-hand.
"""


def render() -> str:
    """The page."""
    types = list(CATALOGUE.values())
    chips = list({row.chip.name: row.chip for row in types if row.chip}.values())
    parts = [
        _HEAD,
        "## Chips\n",
        _chips(chips),
        "Peaks are dense matrix multiplications in TFLOP/s (int8: TOP/s), without sparsity. The link's bandwidth is",
        "one chip's, both directions together. Devices are JAX's: each has an equal part of its chip.\n",
        "## Measured\n",
        _measured(chips, types),
        "## Machine types on EC2\n",
        _types([row for row in types if row.cloud is Cloud.AWS]),
        "Buy: `d` on demand, `s` spot, `b` capacity block. Regions: how many sell it, by",
        f"{OFFERS_SOURCE}. It has nothing on {_unknown_regions()}: there no type is refused.\n",
        "## Machine types on Google Cloud\n",
        _tpus([row for row in types if row.cloud is Cloud.GOOGLE]),
        "## Sources\n",
        _table(("tag", "source"), ((f"`{tag}`", text) for tag, text in SOURCES.items())),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _unknown_regions() -> str:
    return ", ".join(region for region in REGIONS if not zones_of(region))


def _chips(chips: Sequence[Chip]) -> str:
    precisions = (precision.value for precision in Precision)
    head = ("chip", "devices", "GiB", "TB/s", *precisions, "link", "GB/s", "W", "sources")
    return _table(head, (_chip(chip) for chip in chips))


def _chip(chip: Chip) -> tuple[str, ...]:
    peaks = (_number(chip.peak_flops.get(precision), TERA) for precision in Precision)
    return (
        chip.name,
        str(chip.devices),
        _number(chip.memory_gib),
        _number(chip.memory_bytes_per_s, TERA),
        *peaks,
        chip.link or "none",
        _number(chip.link_bytes_per_s, GIGA) if chip.link else "-",
        _number(chip.power_w),
        " ".join(f"`{tag}`" for tag in dict.fromkeys(chip.sources.values())),
    )


def _measured(chips: Sequence[Chip], types: Sequence[InstanceType]) -> str:
    rows: list[tuple[str, ...]] = []
    for chip in chips:
        if chip.matmul_flops:
            speed = f"{_number(chip.matmul_flops.value, TERA)} TFLOP/s"
            rows.append(_anchor(chip, "matmul", speed, chip.matmul_flops))
        rows += [_anchor(chip, "training MFU", f"{mfu.value:.1%}", mfu) for mfu in chip.training_mfu]
    rows += [_all_reduce(row, one) for row in types for one in row.all_reduce]
    unmeasured = ", ".join(chip.name for chip in chips if not chip.training_mfu)
    table = _table(("chip", "of", "measured", "chips", "what", "source"), rows)
    return f"{table}\nNo training MFU is at hand for {unmeasured}.\n"


def _anchor(chip: Chip, of: str, value: str, anchor: Anchor) -> tuple[str, ...]:
    return (chip.name, of, value, _number(anchor.chips), anchor.what, f"`{anchor.source}`")


def _all_reduce(row: InstanceType, one: AllReduce) -> tuple[str, ...]:
    size, speed = _number(one.message_bytes, 1 << 20), f"{_number(one.bus_bytes_per_s, GIGA)} GB/s"
    what = f"{one.nodes} × `{row.name}`, a message of {size} MiB"
    return (
        row.chip.name if row.chip else "-",
        "all-reduce, bus",
        speed,
        str(one.nodes * row.chips),
        what,
        f"`{one.source}`",
    )


def _types(rows: Iterable[InstanceType]) -> str:
    head = ("type", "vCPU", "GiB", "chips", "domain", "Gbit/s", "EFA", "pods", "NVMe GB", "AMI", "buy", "regions")
    head += ("$/h in a block", "$/h")
    return _table(head, (_type(row) for row in rows))


def _type(row: InstanceType) -> tuple[str, ...]:
    regions = regions_with(row.name)
    return (
        f"`{row.name}`",
        str(row.vcpus),
        str(row.memory_gib),
        f"{row.chips} × {row.chip.name}" if row.chip else "-",
        str(row.domain_chips) if row.chip else "-",
        _number(row.network_gbps),
        _efa(row),
        _number(row.max_pods(row.efa_interfaces)),
        str(row.nvme_gb or "-"),
        (row.ami_type or UNKNOWN).removeprefix("AL2023_"),
        "".join(letter for capacity, letter in _BUY if capacity in row.capacities),
        str(len(regions)) if regions else UNKNOWN,
        _price(row.block_price) if Capacity.CAPACITY_BLOCK in row.capacities else "-",
        _price(row.price),
    )


_BUY = ((Capacity.ON_DEMAND, "d"), (Capacity.SPOT, "s"), (Capacity.CAPACITY_BLOCK, "b"))


def _efa(row: InstanceType) -> str:
    if not row.efa_interfaces:
        return "-"
    if row.first_efa_card is None:
        return f"{row.efa_interfaces}, cards {UNKNOWN}"
    first, last = row.first_efa_card, row.first_efa_card + row.efa_interfaces - 1
    return f"{row.efa_interfaces} (card {first})" if first == last else f"{row.efa_interfaces} (cards {first}–{last})"


def _tpus(rows: Iterable[InstanceType]) -> str:
    head = ("type", "vCPU", "GiB", "chips", "pod", "GKE accelerator", "$/h")
    return _table(
        head,
        (
            (
                f"`{row.name}`",
                str(row.vcpus),
                str(row.memory_gib),
                f"{row.chips} × {row.chip.name if row.chip else UNKNOWN}",
                str(row.domain_chips),
                f"`{row.gke_accelerator}`",
                _price(row.price),
            )
            for row in rows
        ),
    )


def _price(price: Price | None) -> str:
    if price is None:
        return UNKNOWN
    return f"{price.usd_per_hour} ({price.region}, {price.read_on}, `{price.source}`)"


def _number(value: float | None, unit: float = 1) -> str:
    return UNKNOWN if value is None else f"{value / unit:.6g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
