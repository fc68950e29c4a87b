"""Parts of a pool never come to more than the pool, whatever they are counted in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.quotas import amounts, capacity, quantity, spare, total, units, units_of
from components.settings import PoolConfig, QuotaConfig

KINDS = ("m7i.large", "g6.12xlarge", "p5en.48xlarge", "trn2.48xlarge")


@st.composite
def shared(draw: st.DrawFn) -> tuple[PoolConfig, list[QuotaConfig]]:
    """A pool and quotas that have it to the last unit, or leave something."""
    pool = PoolConfig(instance_type=draw(st.sampled_from(KINDS)), desired_size=1, max_size=draw(st.integers(1, 50)))
    left, quotas = units(pool, pool.most), list[QuotaConfig]()
    for count in draw(st.lists(st.integers(0, 200), max_size=6)):
        taken = min(left, count)
        left -= taken
        chips = pool.instance.chips
        quotas.append(QuotaConfig(chips=taken) if chips else QuotaConfig(nodes=taken))
    return pool, quotas


@settings(max_examples=100)
@given(case=shared())
def test_what_is_promised_and_what_is_spare_are_the_pool(case: tuple[PoolConfig, list[QuotaConfig]]) -> None:
    pool, quotas = case
    rest = spare(pool, quotas)
    assert all(amount >= 0 for amount in rest.values())
    assert total([rest, *(amounts(pool, units_of(pool, quota)) for quota in quotas)]) == capacity(pool)


def test_a_whole_node_is_what_the_catalogue_says() -> None:
    pool = PoolConfig(instance_type="p5en.48xlarge", desired_size=2)
    row = pool.instance
    expected: dict[str, Any] = {"cpu": row.vcpus * 1000, "memory": row.memory_gib * 1024, "nvidia.com/gpu": row.chips,
                "vpc.amazonaws.com/efa": row.efa_interfaces, "hugepages-2Mi": 5120}  # fmt: skip
    assert amounts(pool, row.chips) == expected
    assert units_of(pool, QuotaConfig(nodes=2)) == units_of(pool, QuotaConfig(chips=16)) == 16
    assert capacity(pool) == {name: 2 * amount for name, amount in expected.items()}


@pytest.mark.parametrize(
    ("resource", "amount", "text"),
    [("cpu", 1500, "1500m"), ("memory", 10, "10Mi"), ("nvidia.com/gpu", 8, "8"), ("hugepages-2Mi", 0, "0")],
)
def test_amounts_are_written_as_kubernetes_does(resource: str, amount: int, text: str) -> None:
    assert quantity(resource, amount) == text
