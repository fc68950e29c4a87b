"""Subnets of any VPC: inside it, apart from each other, and large enough."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.addresses import ADDRESSES_A_NODE, ipv6_subnet, plan_subnets, usable_addresses


@st.composite
def vpcs(draw: st.DrawFn) -> IPv4Network:
    prefix = draw(st.integers(16, 20))
    return IPv4Network((draw(st.integers(0, 2**32 - 1)) >> (32 - prefix) << (32 - prefix), prefix))


@given(vpcs(), st.integers(1, 3))
def test_subnets_are_inside_the_vpc_and_never_overlap(vpc: IPv4Network, zones: int) -> None:
    plan = plan_subnets(vpc, zones)
    assert {len(role) for role in (plan.public, plan.private, plan.accelerator, plan.storage)} == {zones}
    assert all(subnet.subnet_of(vpc) for subnet in plan)
    assert not any(one.overlaps(other) for one, other in combinations(plan, 2))
    assert all(subnet.num_addresses == vpc.num_addresses // 4 for subnet in plan.private)


@given(vpcs())
def test_a_zone_keeps_its_range_whatever_the_number_of_zones(vpc: IPv4Network) -> None:
    all_three, one = plan_subnets(vpc, 3), plan_subnets(vpc, 1)
    assert all_three.private[:1] == one.private
    assert (all_three.public[:1], all_three.accelerator[:1], all_three.storage[:1]) == (
        one.public, one.accelerator, one.storage,
    )  # fmt: skip


@given(vpcs())
def test_every_subnet_is_one_that_aws_takes_and_nodes_have_room_for_their_pods(vpc: IPv4Network) -> None:
    plan = plan_subnets(vpc, 3)
    assert all(16 <= subnet.prefixlen <= 28 for subnet in plan)
    assert all(usable_addresses(subnet) >= 2 * ADDRESSES_A_NODE for subnet in (*plan.private, *plan.accelerator))
    assert all(usable_addresses(subnet) >= 8 for subnet in plan.public)  # what a load balancer needs free


@pytest.mark.parametrize(
    ("vpc", "sizes"), [("10.0.0.0/16", (16379, 4091, 1019, 251)), ("10.0.0.0/20", (1019, 251, 59, 11))]
)
def test_the_sizes_are_those_that_are_told(vpc: str, sizes: tuple[int, ...]) -> None:
    plan = plan_subnets(IPv4Network(vpc), 3)
    roles = (plan.private, plan.accelerator, plan.public, plan.storage)
    assert tuple(usable_addresses(subnets[0]) for subnets in roles) == sizes


def test_the_ranges_of_a_16_are_where_they_always_were() -> None:
    plan = plan_subnets(IPv4Network("10.0.0.0/16"), 3)
    assert [str(subnet) for subnet in plan.private] == ["10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"]
    assert [str(subnet) for subnet in plan.public] == ["10.0.192.0/22", "10.0.196.0/22", "10.0.200.0/22"]


ROLES = ("public", "private", "accelerator", "storage")


@given(st.integers(0, 2**72 - 1), st.integers(44, 56))
def test_ipv6_subnets_are_64s_inside_the_vpc_and_never_the_same(start: int, prefix: int) -> None:
    vpc = IPv6Network((start << 56 >> (128 - prefix) << (128 - prefix), prefix))
    found = [IPv6Network(ipv6_subnet(str(vpc), role, zone)) for role in ROLES for zone in range(16)]
    assert all(subnet.prefixlen == 64 and subnet.subnet_of(vpc) for subnet in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("vpc", "zone"), [("2600::/57", 0), ("2600::/56", 16), ("2600::/56", -1), ("", 0)])
def test_an_ipv6_subnet_that_cannot_be_is_refused(vpc: str, zone: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the last is ipaddress' own
        ipv6_subnet(vpc, "public", zone)


@pytest.mark.parametrize(("vpc", "zones"), [("10.0.0.0/16", 4), ("10.0.0.0/16", 0), ("10.0.0.0/24", 1)])
def test_a_plan_that_cannot_be_is_refused(vpc: str, zones: int) -> None:
    with pytest.raises(ValueError, match=r"zones|too small"):
        plan_subnets(IPv4Network(vpc), zones)
