"""Addresses never meet: of two data roots, of two clusters, of machines and pods."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.addresses import (
    RANGE,
    ClusterNetwork,
    free_machine_address,
    hardware_address,
    network_candidates,
    server_candidates,
)

NETWORK = ClusterNetwork(IPv4Network("198.18.16.0/20"))


def test_machines_and_pods_share_a_network_and_no_address() -> None:
    machines = [IPv4Address(address) for address in NETWORK.machines()]
    assert all(address in NETWORK.subnet and address not in NETWORK.pods for address in machines)
    assert NETWORK.pods.subnet_of(NETWORK.subnet)
    assert NETWORK.gateway not in map(str, machines)


def test_there_are_pod_addresses_for_every_machine_that_can_be() -> None:
    assert NETWORK.pods.num_addresses // 64 == NETWORK.most_machines == 32
    assert len(list(NETWORK.machines())) > NETWORK.most_machines


@given(st.text())
def test_servers_and_clusters_never_share_an_address(key: str) -> None:
    network = next(network_candidates(key, []))
    assert network.subnet.subnet_of(RANGE)
    assert IPv4Address(next(server_candidates(key))) in RANGE
    assert IPv4Address(next(server_candidates(key))) not in network.subnet


@given(st.text(), st.integers(0, 40))
def test_a_network_that_is_taken_is_not_chosen(key: str, number: int) -> None:
    taken: list[IPv4Network] = []
    for _ in range(number):
        network = next(network_candidates(key, taken), None)
        if network is None:
            assert len(taken) == 31
            return
        assert not any(network.subnet.overlaps(other) for other in taken)
        taken.append(network.subnet)


def test_a_network_of_others_within_the_range_is_left_alone() -> None:
    others = [IPv4Network("198.18.0.0/16")]
    assert all(network.subnet.subnet_of(IPv4Network("198.19.0.0/16")) for network in network_candidates("a", others))


def test_a_machine_gets_the_first_address_that_is_free() -> None:
    assert free_machine_address(NETWORK, set()) == "198.18.16.2"
    assert free_machine_address(NETWORK, {"198.18.16.2", "198.18.16.4"}) == "198.18.16.3"
    assert free_machine_address(NETWORK, set(NETWORK.machines())) is None


@pytest.mark.parametrize("name", ["aidc-1234abcd", "a", ""])
def test_a_hardware_address_is_the_names_own_and_claims_no_maker(name: str) -> None:
    assert hardware_address(name) == hardware_address(name) != hardware_address(f"{name}x")
    first = int(hardware_address(name).split(":")[0], 16)
    assert first & 0b11 == 0b10  # locally administered, and of one station
