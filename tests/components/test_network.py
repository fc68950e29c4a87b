"""The network: the same as ever without options, and each option adds without moving what is there."""

from __future__ import annotations

import json
from functools import cache
from ipaddress import IPv6Network
from typing import Any

import pytest

from components.network import Network, NetworkArgs
from components.settings import NetworkConfig

from .mocks import Cloud, run

SUBNET, TABLE, ROUTE = "aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable", "aws:ec2/route:Route"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
EVERYTHING: dict[str, Any] = {
    "ipv6": True, "dedicated_subnets": ("accelerator", "storage"), "endpoint_access": "own_account",
    "endpoint_services": ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "sts", "fsx", "elasticfilesystem"),
}  # fmt: skip


@cache
def network(**config: Any) -> Cloud:
    def declare() -> None:
        args = NetworkArgs(
            name="dc", region="us-east-1", account_id="123456789012",
            zone_names=["us-east-1a", "us-east-1b", "us-east-1c"],
            config=NetworkConfig(**{"cidr": "10.0.0.0/16", **config}), key_arn="arn:key",
        )  # fmt: skip
        Network("network", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def routes(cloud: Cloud) -> dict[str, dict[str, Any]]:
    return cloud.of(ROUTE)


def test_every_option_leaves_the_subnets_that_are_there_in_their_place() -> None:
    before, after = network().of(SUBNET), network(**EVERYTHING).of(SUBNET)
    kept = ("cidrBlock", "availabilityZone", "vpcId", "tags")
    assert len(before) == 6
    assert {name: [subnet[key] for key in kept] for name, subnet in before.items()} == {
        name: [after[name][key] for key in kept] for name in before
    }


def test_without_options_nothing_of_them_is_declared() -> None:
    cloud = network()
    assert {name.split("-")[1] for name in cloud.of(SUBNET)} == {"public", "private"}
    assert cloud.of("aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway") == {}
    assert not any("ipv6" in str(resource.inputs).lower() for resource in cloud.resources)
    assert not any(endpoint.get("policy") for endpoint in cloud.of(ENDPOINT).values())


def test_dual_stack_gives_every_subnet_a_64_of_the_vpc_of_its_own() -> None:
    subnets = network(**EVERYTHING).of(SUBNET)
    blocks = [IPv6Network(subnet["ipv6CidrBlock"]) for subnet in subnets.values()]
    assert len(set(blocks)) == len(blocks) == 12
    assert all(block.prefixlen == 64 and block.subnet_of(IPv6Network("2600:1f18::/56")) for block in blocks)


def test_only_where_no_interface_is_efa_alone_addresses_are_handed_out() -> None:
    subnets = network(**EVERYTHING).of(SUBNET)
    handing = {name.split("-")[1] for name, subnet in subnets.items() if subnet["assignIpv6AddressOnCreation"]}
    assert handing == {"public", "private"}


def test_ipv6_goes_out_of_private_subnets_and_does_not_come_in() -> None:
    found = routes(network(ipv6=True))
    six = {name: route for name, route in found.items() if route.get("destinationIpv6CidrBlock")}
    assert set(six) == {"network-public-default-ipv6", *(f"network-private-{zone}-default-ipv6" for zone in range(3))}
    for name, route in six.items():
        assert ("gatewayId" in route) == name.startswith("network-public")
        assert ("egressOnlyGatewayId" in route) == name.startswith("network-private")


def test_accelerators_go_out_as_their_zone_does_and_storage_does_not_go_out() -> None:
    cloud = network(**EVERYTHING)
    tables = {
        name.removesuffix("-routes-association"): one["routeTableId"] for name, one in cloud.of(ASSOCIATION).items()
    }
    for zone in range(3):
        assert tables[f"network-accelerator-{zone}"] == tables[f"network-private-{zone}"]
        assert tables[f"network-storage-{zone}"] == "network-storage-routes-id"
    assert "network-storage-routes-id" not in {route["routeTableId"] for route in routes(cloud).values()}


def test_only_subnets_for_load_balancers_are_marked_for_them() -> None:
    for name, subnet in network(**EVERYTHING).of(SUBNET).items():
        marks = [key for key in subnet["tags"] if key.startswith("kubernetes.io/role/")]
        assert len(marks) == (1 if name.split("-")[1] in ("public", "private") else 0)


def test_s3_is_reached_from_every_subnet_but_the_public_ones_without_a_nat_gateway() -> None:
    (gateway,) = [one for one in network(**EVERYTHING).of(ENDPOINT).values() if one["vpcEndpointType"] == "Gateway"]
    assert len(gateway["routeTableIds"]) == 4


def test_each_chosen_service_has_one_endpoint_and_all_share_one_group() -> None:
    found = [one for one in network(**EVERYTHING).of(ENDPOINT).values() if one["vpcEndpointType"] == "Interface"]
    assert sorted(one["serviceName"].removeprefix("com.amazonaws.us-east-1.") for one in found) == sorted(
        EVERYTHING["endpoint_services"]
    )
    assert {tuple(one["securityGroupIds"]) for one in found} == {("network-endpoints-id",)}
    assert network(interface_endpoints=False).of("aws:ec2/securityGroup:SecurityGroup") == {}


def test_endpoints_for_the_own_account_take_foreign_credentials_nowhere_but_at_the_token_service() -> None:
    for name, endpoint in network(**EVERYTHING).of(ENDPOINT).items():
        if name == "network-sts":
            assert endpoint.get("policy") is None
            continue
        own, *aws_own = json.loads(endpoint["policy"])["Statement"]
        assert own["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
        assert [one["Action"] for one in aws_own] == (["s3:GetObject"] if name == "network-s3" else [])
        assert all("*" not in resource.split("/")[0] for one in aws_own for resource in one["Resource"])


@pytest.mark.parametrize(("nat", "gateways"), [("per_zone", 3), ("one", 1), ("none", 0)])
def test_there_are_as_many_nat_gateways_as_asked_for(nat: str, gateways: int) -> None:
    cloud = network(nat=nat, ipv6=True)
    assert len(cloud.of("aws:ec2/natGateway:NatGateway")) == gateways
    out = [name for name in routes(cloud) if name.startswith("network-private")]
    assert len(out) == (6 if gateways else 0)
