"""The recovery region: a network like the first one, and a way between the two."""

from __future__ import annotations

from functools import cache
from ipaddress import IPv4Network
from typing import Any

import pulumi_aws as aws

from components.network import Network, NetworkArgs
from components.recovery import Recovery, RecoveryArgs, recovery_network
from components.settings import NetworkConfig, RecoveryConfig

from .mocks import Cloud, run

PRIMARY = NetworkConfig(cidr=IPv4Network("10.0.0.0/16"), dedicated_subnets=("accelerator", "storage"), ipv6=True)
CONFIG = RecoveryConfig(region="us-west-2", cidr=IPv4Network("10.1.0.0/16"))


@cache
def declared(primary: NetworkConfig = PRIMARY) -> Cloud:
    common: dict[str, Any] = {"name": "dc", "account_id": "123456789012"}

    def declare() -> None:
        network = Network(
            "network", NetworkArgs(**common, region="us-east-1", zone_names=["a", "b", "c"], config=primary)
        )
        args = RecoveryArgs(
            **common, config=CONFIG, provider=aws.Provider("aws-recovery", region="us-west-2"),
            zone_names=["d", "e", "f"], primary_vpc_id=network.vpc_id, primary_config=primary,
            primary_route_table_ids=dict(zip(network.routed_table_names, network.routed_table_ids, strict=True)),
        )  # fmt: skip
        Recovery("recovery", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def there(cloud: Cloud) -> dict[str, bool]:
    """Which resources the recovery region's provider makes."""
    return {one.name: "aws-recovery" in (one.provider or "") for one in cloud.resources}


def test_the_second_network_is_in_the_other_region_and_the_request_in_the_first() -> None:
    found = there(declared())
    assert found["recovery-network-vpc"]
    assert found["recovery-network-storage-2"]
    assert found["recovery-peering-accepter"]
    assert not found["recovery-peering"]
    assert not found["network-vpc"]


def test_nothing_in_the_second_network_bills_by_the_hour() -> None:
    cloud = declared()
    assert not any(name.startswith("recovery") for name in cloud.of("aws:ec2/natGateway:NatGateway"))
    endpoints = {name: one for name, one in cloud.of("aws:ec2/vpcEndpoint:VpcEndpoint").items() if "recovery" in name}
    assert [one["vpcEndpointType"] for one in endpoints.values()] == ["Gateway"]


def test_every_table_but_the_public_one_leads_to_the_other_side_once_accepted() -> None:
    cloud = declared()
    routes = {n: r for n, r in cloud.of("aws:ec2/route:Route").items() if r.get("vpcPeeringConnectionId")}
    tables = ("private-0", "private-1", "private-2", "storage")
    assert {name: (route["routeTableId"], route["destinationCidrBlock"]) for name, route in routes.items()} == {
        **{f"recovery-there-{table}": (f"network-{table}-routes-id", "10.1.0.0/16") for table in tables},
        **{f"recovery-back-{table}": (f"recovery-network-{table}-routes-id", "10.0.0.0/16") for table in tables},
    }
    for name in routes:
        assert there(cloud)[name] == name.startswith("recovery-back")


def test_no_rule_lets_the_other_side_in_by_itself() -> None:
    rules = declared().of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").values()
    assert {rule["cidrIpv4"] for rule in rules} == {"10.0.0.0/16"}


def test_the_second_network_keeps_the_first_one_s_roles_and_rules() -> None:
    made = recovery_network(CONFIG, PRIMARY)
    assert (made.dedicated_subnets, made.ipv6, made.flow_log_retention_days) == (PRIMARY.dedicated_subnets, True, 90)
    assert (made.nat, made.services) == ("none", ())
