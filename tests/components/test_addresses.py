"""Subnets of any VPC: inside it, apart from each other, and large enough."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.addresses import plan_subnets


@st.composite
def vpcs(draw: st.DrawFn) -> IPv4Network:
    prefix = draw(st.integers(16, 20))
    return IPv4Network((draw(st.integers(0, 2**32 - 1)) >> (32 - prefix) << (32 - prefix), prefix))


@given(vpcs(), st.integers(1, 3))
def test_subnets_are_inside_the_vpc_and_never_overlap(vpc: IPv4Network, zones: int) -> None:
    plan = plan_subnets(vpc, zones)
    assert len(plan.public) == len(plan.private) == zones
    assert all(subnet.subnet_of(vpc) for subnet in plan)
    assert not any(one.overlaps(other) for one, other in combinations(plan, 2))
    assert all(subnet.num_addresses == vpc.num_addresses // 4 for subnet in plan.private)


@given(vpcs())
def test_a_zone_keeps_its_range_whatever_the_number_of_zones(vpc: IPv4Network) -> None:
    assert plan_subnets(vpc, 3).private[:1] == plan_subnets(vpc, 1).private


@pytest.mark.parametrize(("vpc", "zones"), [("10.0.0.0/16", 4), ("10.0.0.0/16", 0), ("10.0.0.0/24", 1)])
def test_a_plan_that_cannot_be_is_refused(vpc: str, zones: int) -> None:
    with pytest.raises(ValueError, match=r"zones|too small"):
        plan_subnets(IPv4Network(vpc), zones)
