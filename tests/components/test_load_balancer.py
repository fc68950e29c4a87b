"""The load balancer: encrypted, checked, logged, and open to nobody who was not named."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from components.access_logs import delivery_policy
from components.datacenter.services import balancer_subnets
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.network import Network, NetworkArgs
from components.settings import HealthCheckConfig, LoadBalancerConfig, NetworkConfig
from components.web_acl import MANAGED_RULES

from .mocks import Cloud, run

NAMED: dict[str, Any] = {"domain_name": "llm.example.com", "zone_id": "Z0123456789ABC"}
INTERNET: dict[str, Any] = {**NAMED, "scheme": "internet_facing", "allowed_cidrs": ("203.0.113.0/24",)}
BALANCER, LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


@cache
def balancer(kind: str, retain: bool = True, **config: Any) -> Cloud:
    common: dict[str, Any] = {"name": "dc", "region": "us-east-1", "account_id": "123456789012"}

    def declare() -> None:
        cidr = NetworkConfig(cidr="10.0.0.0/16")  # pyright: ignore[reportArgumentType]
        network = Network("network", NetworkArgs(**common, zone_names=["a", "b", "c"], config=cidr))
        balancer_config = LoadBalancerConfig(**{"kind": kind, **config})
        args = LoadBalancerArgs(
            **common, config=balancer_config, vpc_id=network.vpc_id, vpc_cidr="10.0.0.0/16", retain=retain,
            subnet_ids=balancer_subnets(network, balancer_config), cluster_security_group_id="sg-cluster",
        )  # fmt: skip
        LoadBalancer("load-balancer", args).add_record()

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def public() -> Cloud:
    return balancer("application", waf=True, **INTERNET)


def only(cloud: Cloud, kind: str) -> dict[str, Any]:
    (found,) = cloud.of(kind).values()
    return found


def test_an_internal_one_is_in_private_subnets_and_a_public_one_in_public_ones() -> None:
    inside, outside = only(balancer("network"), BALANCER), only(public(), BALANCER)
    assert (inside["internal"], inside["subnets"]) == (True, [f"network-private-{zone}-id" for zone in range(3)])
    assert (outside["internal"], outside["subnets"]) == (False, [f"network-public-{zone}-id" for zone in range(3)])


def test_a_destroy_stops_at_one_whose_data_is_to_be_retained() -> None:
    assert only(balancer("network"), BALANCER)["enableDeletionProtection"] is True
    assert only(balancer("network", retain=False), BALANCER)["enableDeletionProtection"] is False


@pytest.mark.parametrize(("kind", "protocol"), [("network", "TLS"), ("application", "HTTPS")])
def test_with_a_name_it_speaks_tls_with_a_certificate_that_was_issued_first(kind: str, protocol: str) -> None:
    listener = balancer(kind, **NAMED).of(LISTENER)["load-balancer-listener"]
    assert (listener["protocol"], listener["port"]) == (protocol, 443)
    assert listener["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert listener["certificateArn"].endswith("load-balancer-certificate")


def test_the_certificate_is_proved_and_the_name_points_at_it_in_the_given_zone() -> None:
    records = public().of("aws:route53/record:Record")
    assert {record["zoneId"] for record in records.values()} == {"Z0123456789ABC"}
    assert records["load-balancer-certificate-record"]["name"] == "_proof.llm.example.com."
    (alias,) = records["load-balancer-record"]["aliases"]
    assert (records["load-balancer-record"]["name"], alias["name"]) == ("llm.example.com", "lb.example.amazonaws.com")


def test_plain_http_is_redirected_where_there_is_tls_and_only_there() -> None:
    redirect = public().of(LISTENER)["load-balancer-redirect"]
    (action,) = redirect["defaultActions"]
    assert (redirect["port"], action["redirect"]["protocol"], action["redirect"]["statusCode"]) == (
        80,
        "HTTPS",
        "HTTP_301",
    )
    for cloud in (balancer("application"), balancer("network", **NAMED)):
        assert set(cloud.of(LISTENER)) == {"load-balancer-listener"}


def test_only_named_ranges_connect_and_only_to_ports_that_listen() -> None:
    rules = [rule for name, rule in public().of(INGRESS).items() if name.startswith("load-balancer-in-")]
    assert {(rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) for rule in rules} == {
        ("203.0.113.0/24", 443, 443),
        ("203.0.113.0/24", 80, 80),
    }
    (own,) = [rule for name, rule in balancer("network").of(INGRESS).items() if name.startswith("load-balancer-in-")]
    assert own["cidrIpv4"] == "10.0.0.0/16"


def test_nodes_let_it_in_at_the_services_port_alone() -> None:
    rule = balancer("network", target_port=9000).of(INGRESS)["load-balancer-to-pods"]
    assert (rule["securityGroupId"], rule["referencedSecurityGroupId"]) == ("sg-cluster", "load-balancer-group-id")
    assert (rule["fromPort"], rule["toPort"]) == (9000, 9000)


def test_targets_are_pods_and_checked_as_the_kind_checks() -> None:
    groups = [only(balancer(kind), "aws:lb/targetGroup:TargetGroup") for kind in ("network", "application")]
    assert [group["targetType"] for group in groups] == ["ip", "ip"]
    assert [group["protocol"] for group in groups] == ["TCP", "HTTP"]
    assert [group["healthCheck"]["protocol"] for group in groups] == ["TCP", "HTTP"]
    assert [group["healthCheck"].get("path") for group in groups] == [None, "/healthz"]
    check: Any = HealthCheckConfig(protocol="http", path="/ready")
    asked = balancer("network", health_check=check)
    assert only(asked, "aws:lb/targetGroup:TargetGroup")["healthCheck"]["path"] == "/ready"


def test_zones_are_kept_apart_where_the_kind_can() -> None:
    apart = [balancer(kind, cross_zone=False) for kind in ("network", "application")]
    assert only(apart[0], BALANCER)["enableCrossZoneLoadBalancing"] is False
    assert only(apart[1], "aws:lb/targetGroup:TargetGroup")["loadBalancingCrossZoneEnabled"] == "false"
    assert "enableCrossZoneLoadBalancing" not in only(apart[1], BALANCER)


def test_a_silent_connection_ends_where_the_kind_has_it() -> None:
    assert only(balancer("application", idle_timeout_s=600), BALANCER)["idleTimeout"] == 600
    assert only(balancer("network", idle_timeout_s=600), LISTENER)["tcpIdleTimeoutSeconds"] == 600


def test_access_logs_go_to_a_private_bucket_that_may_be_written_before_anything_logs() -> None:
    cloud = public()
    assert only(cloud, BALANCER)["accessLogs"] == {
        "bucket": "dc-load-balancer-logs-123456789012-us-east-1",
        "enabled": True,
    }
    encryption = only(cloud, "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
    assert encryption["rules"][0]["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    order = [resource.name for resource in cloud.resources]
    assert order.index("load-balancer-logs-policy") < order.index("load-balancer-balancer")
    assert balancer("network").of("aws:s3/bucket:Bucket") == {}


@pytest.mark.parametrize(
    ("kind", "principal"),
    [("application", "logdelivery.elasticloadbalancing.amazonaws.com"), ("network", "delivery.logs.amazonaws.com")],
)
def test_only_the_delivery_of_its_kind_may_write_and_only_under_its_account(kind: str, principal: str) -> None:
    deny, *allow = delivery_policy(kind, "arn:aws:s3:::logs", "123456789012", "us-east-1")["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert {statement["Principal"]["Service"] for statement in allow} == {principal}
    writing = [statement["Resource"] for statement in allow if statement["Action"] == "s3:PutObject"]
    assert writing == ["arn:aws:s3:::logs/AWSLogs/123456789012/*"]


def test_the_firewall_stands_before_it_and_does_not_block_long_prompts() -> None:
    acl = only(public(), "aws:wafv2/webAcl:WebAcl")
    groups = {rule["name"]: rule["statement"]["managedRuleGroupStatement"] for rule in acl["rules"]}
    assert list(groups) == list(MANAGED_RULES)
    assert [rule["priority"] for rule in acl["rules"]] == [0, 1, 2]
    (counted,) = groups["AWSManagedRulesCommonRuleSet"]["ruleActionOverrides"]
    assert counted == {"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}
    assert only(public(), "aws:wafv2/webAclAssociation:WebAclAssociation")["resourceArn"].endswith(
        "load-balancer-balancer"
    )
    assert balancer("application").of("aws:wafv2/webAcl:WebAcl") == {}
