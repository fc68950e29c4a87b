"""The catalogue as sizing sees it: the types that a model can be trained on, with what is measured of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.accelerators import CATALOGUE, SOURCES, Anchor, Chip, Cloud, InstanceType
from components.accelerators import Precision as CataloguePrecision
from operations.sizing.model import GIB, Precision

USABLE_MEMORY = 0.9
"""The part of device memory that a program can have: the rest is the runtime's, NCCL's buffers and fragmentation."""
SYSTEM_POWER = 1.8
"""Power of a machine ÷ its chips': DGX H100 10.2 kW for 8 × 700 W, DGX B200 14.3 kW for 8 × 1,000 W."""
PUE = 1.15
"""Power of the building ÷ its machines': AWS's global figure for 2024."""
MOST_MACHINES = 4096
SIZES = tuple(sorted({n * 2**power for n in (1, 3, 5, 7) for power in range(13) if n * 2**power <= MOST_MACHINES}))
"""Numbers of machines that are tried: four an octave, which divide well."""
SLICES = tuple(2**power for power in range(13))
"""Of TPU machines: topologies, and rows of whole slices, come in powers of two."""
SLICE_MACHINE_CHIPS = 4
"""Chips of the TPU machines that make slices of more than one machine; those with 1 or 8 stand alone."""


@dataclass(frozen=True)
class Utilisation:
    """A measured model FLOP/s utilisation in bf16: a fraction of the peak, on that many chips, and its source.

    ``chips`` is ``None`` where the source does not say it.
    """

    chips: int | None
    mfu: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One instance type with accelerators. ``None`` is unknown.

    Attributes:
        name: the catalogue's.
        chip: the chip's name.
        chips: in one machine.
        memory_bytes: device memory of one chip.
        peaks: FLOP/s of one chip by precision.
        domain: chips that reach each other over NVLink or the like; 1 where there is none.
        sizes: numbers of machines that can train together, ascending; only 1 where there is no fabric.
        utilisations: measured on this chip.
        usd_per_hour: on demand.
        price_source: where that was read, and when.
        power_w: of the machine with its part of the cooling, at most.
        network_bits_per_s: what its network carries.
    """

    name: str
    chip: str
    chips: int
    memory_bytes: float
    peaks: Mapping[Precision, float]
    domain: int
    sizes: tuple[int, ...]
    utilisations: tuple[Utilisation, ...]
    usd_per_hour: float | None
    price_source: str | None
    power_w: float | None
    network_bits_per_s: float | None

    @property
    def usable_bytes(self) -> float:
        """Device memory of one chip that a program can have."""
        return USABLE_MEMORY * self.memory_bytes

    @property
    def domain_machines(self) -> int:
        """Machines whose chips reach each other without the network."""
        return max(1, self.domain // self.chips)

    def mfu(self, chips: int, precision: Precision) -> tuple[float, str] | None:
        """The utilisation on that many chips and its source; ``None`` where nothing is measured.

        Between two measurements a straight line over the logarithm of the number of chips; outside them the nearest;
        their mean where there are several for one number. Those without a number count only where no other is there.
        """
        if precision is not Precision.BF16 or not self.utilisations:
            return None
        sized: dict[int, list[Utilisation]] = {}
        for found in self.utilisations:
            if found.chips is not None:
                sized.setdefault(found.chips, []).append(found)
        points = [_mean(chips, sized[chips]) for chips in sorted(sized)]
        if not points:
            return _mean(0, list(self.utilisations))[1:]
        for (low, low_mfu, low_source), (high, high_mfu, high_source) in itertools.pairwise(points):
            if low < chips < high:
                part = math.log(chips / low) / math.log(high / low)
                return low_mfu + part * (high_mfu - low_mfu), f"between {low_source}, and {high_source}"
        return max((point for point in points if point[0] <= chips), default=points[0])[1:]


def _mean(chips: int, found: list[Utilisation]) -> tuple[int, float, str]:
    sources = " and ".join(dict.fromkeys(item.source for item in found))
    return chips, sum(item.mfu for item in found) / len(found), sources


def machines() -> tuple[Machine, ...]:
    """All types of the catalogue that have accelerators, in its order."""
    return tuple(_machine(row) for row in CATALOGUE.values() if row.chip)


def machine(name: str) -> Machine:
    """One of them by its name."""
    return _machine(CATALOGUE[name])


def _machine(row: InstanceType) -> Machine:
    chip = row.chip
    assert chip is not None
    alone = not row.efa_interfaces if row.cloud is Cloud.AWS else row.chips != SLICE_MACHINE_CHIPS
    together = SIZES if row.cloud is Cloud.AWS else SLICES
    return Machine(
        name=row.name,
        chip=chip.name,
        chips=row.chips,
        memory_bytes=chip.memory_gib * GIB,
        peaks=_peaks(chip),
        domain=min(row.domain_chips, row.chips) if alone else row.domain_chips,
        sizes=(1,) if alone else together,
        utilisations=tuple(map(_utilisation, chip.training_mfu)),
        usd_per_hour=row.price.usd_per_hour if row.price else None,
        price_source=_price_source(row),
        power_w=chip.power_w * row.chips * SYSTEM_POWER * PUE if chip.power_w else None,
        network_bits_per_s=row.network_gbps * 1e9 if row.network_gbps else None,
    )


def _peaks(chip: Chip) -> dict[Precision, float]:
    known = {precision: CataloguePrecision(precision.value) for precision in Precision}
    return {mine: chip.peak_flops[its] for mine, its in known.items() if its in chip.peak_flops}


def _utilisation(anchor: Anchor) -> Utilisation:
    on = f" on {anchor.chips:,} chips" if anchor.chips else ""
    return Utilisation(anchor.chips, anchor.value, f"{anchor.what}{on} ({SOURCES[anchor.source]})")


def _price_source(row: InstanceType) -> str | None:
    price = row.price
    if price is None:
        return None
    return f"${price.usd_per_hour:,.2f} an hour in {price.region}, read on {price.read_on} ({SOURCES[price.source]})"
