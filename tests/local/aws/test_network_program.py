"""Networks, peering and a load balancer come up on the embedded engine, stay as they are, and go."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import moto
from local.aws.provider import AwsProvider, account_of
from local.engine import CollectingDisplay, Engine, Result, load_project
from local.engine.store.store import StateStore
from local.paths import DataRoot
from tests.local.engine.conftest import SECRETS, changed

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

# The components alone, as another program would have them: without a data centre around them.
PROGRAM = """
import pulumi, pulumi_aws as aws
from components.failover import Failover, FailoverArgs
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.network import Network, NetworkArgs
from components.recovery import Recovery, RecoveryArgs
from components.settings import FailoverConfig, LoadBalancerConfig, NetworkConfig, RecoveryConfig

common = {{"name": "dc", "account_id": "123456789012"}}
config = NetworkConfig(cidr="10.0.0.0/16", **{network})
zones = aws.get_availability_zones_output().names
network = Network("network", NetworkArgs(**common, region="us-east-1", zone_names=zones, config=config))
west = aws.Provider("west", region="us-west-2")
there = aws.get_availability_zones_output(opts=pulumi.InvokeOutputOptions(provider=west)).names
recovery = RecoveryConfig(region="us-west-2", cidr="10.1.0.0/16")
tables = dict(zip(network.routed_table_names, network.routed_table_ids))
second = Recovery("recovery", RecoveryArgs(**common, config=recovery, provider=west, zone_names=there,
                                           primary_config=config, primary_vpc_id=network.vpc_id,
                                           primary_route_table_ids=tables))
for kind, options in {balancers}.items():
    config = LoadBalancerConfig(kind=kind, **options)
    balancer = LoadBalancer(kind, LoadBalancerArgs(
        **common, region="us-east-1", config=config, vpc_cidr="10.0.0.0/16", retain=False,
        vpc_id=network.vpc_id, subnet_ids=network.private_subnet_ids,
        cluster_security_group_id="{group}"))
    pulumi.export(kind, balancer.target_group_arn)
    if kind != {failing!r}:
        balancer.add_record()
        continue
    standby = LoadBalancer("standby", LoadBalancerArgs(
        **common, region="us-west-2", config=config, vpc_cidr="10.1.0.0/16", retain=False,
        vpc_id=second.vpc_id, subnet_ids=second.network.private_subnet_ids,
        cluster_security_group_id=None, proof_fqdn=balancer.proof_fqdn), pulumi.ResourceOptions(provider=west))
    failover = Failover("failover", FailoverArgs(
        name="dc", region="us-east-1", config=FailoverConfig(), checks=("endpoint", "targets"), balancer=config,
        load_balancer_arn=balancer.load_balancer_arn, target_group_arn=balancer.target_group_arn,
        primary=balancer.target, standby=standby.target))
    balancer.add_record(failover.target, after=failover.records)
"""
PLAIN: dict[str, Any] = {"nat": "one"}
WHOLE: dict[str, Any] = {
    "nat": "one", "ipv6": True, "dedicated_subnets": ("accelerator", "storage"), "endpoint_access": "own_account",
    "endpoint_services": ("ec2", "sts", "fsx", "elasticfilesystem", "ssm", "ssmmessages", "ec2messages"),
}  # fmt: skip


@dataclass
class World:
    folder: Path
    root: DataRoot
    zone: str
    group: str

    def engine(self, network: dict[str, Any], balancers: dict[str, dict[str, Any]], failing: str = "") -> Engine:
        program = PROGRAM.format(network=network, balancers=balancers, group=self.group, failing=failing)
        (self.folder / "__main__.py").write_text(textwrap.dedent(program))
        store = StateStore(self.folder / "state", "proj", "test", SECRETS)
        providers = {"aws": lambda: AwsProvider(self.root)}
        return Engine(load_project(self.folder, "test"), store, providers, CollectingDisplay())

    def up(
        self, network: dict[str, Any], balancers: dict[str, dict[str, Any]] | None = None, failing: str = ""
    ) -> Result:
        result = self.engine(network, balancers or {}, failing).up()
        assert not result.errors, result.errors
        return result

    def call(self, service: str, operation: str, region: str = "us-east-1", **request: Any) -> dict[str, Any]:
        return account_of(self.root).at(region).call(service, operation, **request)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, root = tmp_path_factory.mktemp("program"), DataRoot(tmp_path_factory.mktemp("cloud"))
    (folder / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    (folder / "Pulumi.test.yaml").write_text("config:\n  aws:region: us-east-1\n")
    cloud = account_of(root).at("us-east-1")
    zone = cloud.call("route53", "create_hosted_zone", Name="example.com", CallerReference="test")["HostedZone"]["Id"]
    group = cloud.call("ec2", "create_security_group", GroupName="nodes", Description="nodes")["GroupId"]
    yield World(folder, root, zone.rpartition("/")[2], group)
    moto.stop(root)


def balancers(world: World) -> dict[str, dict[str, Any]]:
    named = {"domain_name": "llm.example.com", "zone_id": world.zone, "waf": True}
    return {"application": named, "network": {"idle_timeout_s": 600}}


def subnets(world: World) -> dict[str, str]:
    found = world.call("ec2", "describe_subnets", Filters=[{"Name": "tag:Name", "Values": ["dc-*"]}])["Subnets"]
    return {
        tag["Value"]: subnet["SubnetId"] for subnet in found for tag in subnet.get("Tags", []) if tag["Key"] == "Name"
    }


def test_both_regions_come_up_and_reach_each_other(world: World) -> None:
    world.up(PLAIN)
    (peering,) = world.call("ec2", "describe_vpc_peering_connections")["VpcPeeringConnections"]
    assert peering["Status"]["Code"] == "active"
    for region, destination in (("us-east-1", "10.1.0.0/16"), ("us-west-2", "10.0.0.0/16")):
        tables = world.call("ec2", "describe_route_tables", region)["RouteTables"]
        to_there = [
            route
            for table in tables
            for route in table["Routes"]
            if route.get("VpcPeeringConnectionId") == peering["VpcPeeringConnectionId"]
        ]
        assert [route["DestinationCidrBlock"] for route in to_there] == [destination] * 3


def test_the_same_again_changes_nothing(world: World) -> None:
    assert changed(world.up(PLAIN)) == {}


def test_every_option_is_taken_into_use_without_replacing_anything(world: World) -> None:
    before = subnets(world)
    preview = world.engine(WHOLE, balancers(world)).preview()
    result = world.up(WHOLE, balancers(world))
    assert not preview.errors, preview.errors
    for done in (changed(preview), changed(result)):
        assert "replace" not in done
        # Five services of before go with their endpoints; nothing else does.
        assert done["delete"] == 5
    after = subnets(world)
    assert {name: after[name] for name in before} == before
    assert len(after) == 12


def test_every_subnet_has_its_ipv6_range_and_leads_where_its_role_does(world: World) -> None:
    found = world.call("ec2", "describe_subnets", SubnetIds=list(subnets(world).values()))["Subnets"]
    blocks = [one["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"] for one in found]
    assert len(set(blocks)) == 12
    (storage,) = world.call("ec2", "describe_route_tables", Filters=[{"Name": "tag:Name", "Values": ["dc-storage"]}])[
        "RouteTables"
    ]
    assert not [route for route in storage["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
    assert [route for route in storage["Routes"] if route.get("VpcPeeringConnectionId")]


def test_the_load_balancers_listen_as_declared(world: World) -> None:
    found = {one["Type"]: one for one in world.call("elbv2", "describe_load_balancers")["LoadBalancers"]}
    listeners = {
        kind: {
            (one["Port"], one["Protocol"])
            for one in world.call("elbv2", "describe_listeners", LoadBalancerArn=balancer["LoadBalancerArn"])[
                "Listeners"
            ]
        }
        for kind, balancer in found.items()
    }
    assert listeners == {"application": {(443, "HTTPS"), (80, "HTTP")}, "network": {(80, "TCP")}}
    acl = world.call("wafv2", "get_web_acl_for_resource", ResourceArn=found["application"]["LoadBalancerArn"])["WebACL"]
    assert acl["Name"] == "dc-application"


def test_a_refresh_finds_no_drift_and_the_same_again_changes_nothing(world: World) -> None:
    assert changed(world.engine(WHOLE, balancers(world)).refresh()) == {}
    assert changed(world.up(WHOLE, balancers(world))) == {}


def records(world: World) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The zone's records that lead to load balancers, by name and part in a failover."""
    found = world.call("route53", "list_resource_record_sets", HostedZoneId=world.zone)["ResourceRecordSets"]
    return {(one["Name"], one.get("Failover")): one for one in found if "AliasTarget" in one}


def test_a_standby_in_the_other_region_comes_to_the_name_and_goes_without_a_moment_with_no_record(world: World) -> None:
    simple = records(world)
    preview = world.engine(WHOLE, balancers(world), "application").preview()
    result = world.up(WHOLE, balancers(world), "application")
    assert not preview.errors, preview.errors
    for done in (changed(preview), changed(result)):
        assert {"replace", "delete"}.isdisjoint(done)
    found, name = records(world), "dc-failover.llm.example.com."
    assert set(found) == {("llm.example.com.", None), (name, "PRIMARY"), (name, "SECONDARY")}
    assert found["llm.example.com.", None]["AliasTarget"]["DNSName"].rstrip(".") == name.rstrip(".")
    (standby,) = world.call("elbv2", "describe_load_balancers", "us-west-2")["LoadBalancers"]
    assert found[name, "SECONDARY"]["AliasTarget"]["DNSName"].rstrip(".") == standby["DNSName"]
    assert found[name, "PRIMARY"]["AliasTarget"] == simple["llm.example.com.", None]["AliasTarget"]
    assert changed(world.engine(WHOLE, balancers(world), "application").refresh()) == {}
    assert changed(world.up(WHOLE, balancers(world), "application")) == {}
    assert "replace" not in changed(world.up(WHOLE, balancers(world)))
    assert records(world) == simple


def test_a_destroy_leaves_nothing(world: World) -> None:
    result = world.engine(WHOLE, balancers(world)).destroy()
    assert not result.errors, result.errors
    assert subnets(world) == {}
    assert world.call("elbv2", "describe_load_balancers")["LoadBalancers"] == []
    records = world.call("route53", "list_resource_record_sets", HostedZoneId=world.zone)["ResourceRecordSets"]
    assert {one["Type"] for one in records} == {"NS", "SOA"}
