"""Who answers under the load balancer's name, and what decides it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pulumi
import pytest

from components.failover import Failover, FailoverArgs, failover_name, probe
from components.records import Target
from components.settings import FailoverConfig, HealthCheckConfig, LoadBalancerConfig

from .mocks import Cloud, run

NAMED: dict[str, Any] = {"domain_name": "llm.example.com", "zone_id": "Z0123456789ABC", "kind": "application"}
BALANCER = LoadBalancerConfig(**NAMED)
ARN = "arn:aws:elasticloadbalancing:us-east-1:1:"
CHECK = "aws:route53/healthCheck:HealthCheck"


@cache
def declared(*checks: str, standby: str | None = None, kind: str = "application", **config: Any) -> Cloud:
    def declare() -> None:
        other = Target(dns_name="lb.there", zone_id="ZTHERE") if standby is None else Target(dns_name=standby, ttl_s=30)
        args = FailoverArgs(
            name="dc", region="us-east-1", config=FailoverConfig.model_validate(config), checks=checks,
            balancer=LoadBalancerConfig(**{**NAMED, "kind": kind}),
            load_balancer_arn=pulumi.Output.from_input(f"{ARN}loadbalancer/app/one/1a"),
            target_group_arn=pulumi.Output.from_input(f"{ARN}targetgroup/two/2b"),
            primary=Target(dns_name="lb.here", zone_id="ZHERE"), standby=other,
        )  # fmt: skip
        Failover("failover", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def records(cloud: Cloud) -> dict[str, dict[str, Any]]:
    return cloud.of("aws:route53/record:Record")


def test_the_two_records_of_one_name_are_told_apart_and_only_the_first_is_checked() -> None:
    found = records(declared("endpoint"))
    first, second = found["failover-primary"], found["failover-secondary"]
    assert first["name"] == second["name"] == "dc-failover.llm.example.com"
    assert first["type"] == second["type"] == "A"
    assert [one["failoverRoutingPolicies"] for one in (first, second)] == [
        [{"type": "PRIMARY"}], [{"type": "SECONDARY"}],
    ]  # fmt: skip
    assert first["setIdentifier"] != second["setIdentifier"]
    assert (first["healthCheckId"], "healthCheckId" in second) == ("failover-endpoint-id", False)


def test_a_load_balancer_without_healthy_targets_counts_as_failed_on_both_sides() -> None:
    for name, target in (("primary", "lb.here"), ("secondary", "lb.there")):
        (alias,) = records(declared("endpoint"))[f"failover-{name}"]["aliases"]
        assert (alias["name"], alias["evaluateTargetHealth"]) == (target, True)


def test_a_name_takes_over_by_records_of_one_type_that_are_forgotten_in_time() -> None:
    found = records(declared("targets", standby="other.example.net"))
    assert {name: (one["type"], one["ttl"], one["records"]) for name, one in found.items()} == {
        "failover-primary": ("CNAME", 30, ["lb.here"]),
        "failover-secondary": ("CNAME", 30, ["other.example.net"]),
    }


def test_the_endpoint_is_asked_by_the_load_balancer_s_own_name_and_never_by_the_one_that_fails_over() -> None:
    endpoint = {"interval_s": 10, "failures": 2, "regions": ["us-east-1", "eu-west-1", "sa-east-1"]}
    (check,) = declared_with(endpoint).of(CHECK).values()
    assert (check["fqdn"], check["port"], check["type"], check["enableSni"]) == ("lb.here", 443, "HTTPS", True)
    assert (check["requestInterval"], check["failureThreshold"], len(check["regions"])) == (10, 2, 3)


def declared_with(endpoint: dict[str, Any]) -> Cloud:
    return declared.__wrapped__("endpoint", endpoint=endpoint)


@pytest.mark.parametrize(
    ("kind", "check", "asked"),
    [
        ("application", {"path": "/ready"}, ("HTTPS", "/ready")),
        ("application", {}, ("HTTPS", "/healthz")),
        ("network", {}, ("TCP", None)),
        ("network", {"protocol": "http", "path": "/up"}, ("HTTPS", "/up")),
    ],
)
def test_the_endpoint_is_asked_what_the_targets_are_asked(kind: str, check: dict[str, Any], asked: tuple[Any]) -> None:
    balancer = LoadBalancerConfig(**{**NAMED, "kind": kind}, health_check=HealthCheckConfig(**check))
    found = probe(balancer)
    assert (found["type"], found.get("resource_path")) == asked


@pytest.mark.parametrize(("kind", "namespace"), [("application", "ApplicationELB"), ("network", "NetworkELB")])
def test_where_nobody_may_ask_an_alarm_counts_healthy_targets_and_silence_is_none(kind: str, namespace: str) -> None:
    cloud = declared("targets", kind=kind)
    (alarm,) = cloud.of("aws:cloudwatch/metricAlarm:MetricAlarm").values()
    assert (alarm["namespace"], alarm["metricName"]) == (f"AWS/{namespace}", "HealthyHostCount")
    assert alarm["dimensions"] == {"LoadBalancer": "app/one/1a", "TargetGroup": "targetgroup/two/2b"}
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert alarm["treatMissingData"] == "breaching"
    (check,) = cloud.of(CHECK).values()
    assert (check["cloudwatchAlarmName"], check["cloudwatchAlarmRegion"]) == (alarm["name"], "us-east-1")
    assert check["insufficientDataHealthStatus"] == "Unhealthy"


@pytest.mark.parametrize(("wanted", "threshold"), [({}, 2), ({"healthy_checks": 1}, 1)])
def test_of_two_checks_all_must_be_good_unless_fewer_are_asked_for(wanted: dict[str, int], threshold: int) -> None:
    cloud = declared("endpoint", "targets", **wanted)
    check = cloud.of(CHECK)["failover-check"]
    assert check["childHealthchecks"] == ["failover-endpoint-id", "failover-targets-id"]
    assert check["childHealthThreshold"] == threshold
    assert records(cloud)["failover-primary"]["healthCheckId"] == "failover-check-id"


def test_a_wildcard_fails_over_by_a_name_without_a_star() -> None:
    wildcard = LoadBalancerConfig(**{**NAMED, "domain_name": "*.example.com"})
    assert failover_name("dc", wildcard) == "dc-failover.example.com"
