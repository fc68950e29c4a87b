"""Machines whose numbers stay the same whatever the catalogue learns."""

from __future__ import annotations

import pytest

from operations.sizing.formulas import shape_of
from operations.sizing.machines import SIZES, Machine, Utilisation
from operations.sizing.model import DAY_S, GIB, Precision, Request


def machine(
    name: str, *, usd_per_hour: float | None = 50.0, power_w: float | None = 10_000.0, mfu: float = 0.4, domain: int = 8
) -> Machine:
    return Machine(
        name=name,
        chip="X1",
        chips=8,
        memory_bytes=80 * GIB,
        peaks={Precision.BF16: 1e15},
        domain=domain,
        sizes=SIZES,
        utilisations=(Utilisation(8, mfu, "a paper"),) if mfu else (),
        usd_per_hour=usd_per_hour,
        price_source="a list" if usd_per_hour else None,
        power_w=power_w,
        network_bits_per_s=3.2e12,
    )


@pytest.fixture
def known() -> Machine:
    return machine("x1.known")


@pytest.fixture
def unpriced() -> Machine:
    return machine("x1.unpriced", usd_per_hour=None, power_w=None)


@pytest.fixture
def unmeasured() -> Machine:
    return machine("x1.unmeasured", mfu=0)


@pytest.fixture
def request_70b() -> Request:
    return Request(model=shape_of(70 * 10**9, 8192), tokens=14 * 10**11, batch_tokens=4 * 10**6, deadline_s=30 * DAY_S)
