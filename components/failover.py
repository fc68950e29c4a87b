"""Who answers under the load balancer's name: the stack's own load balancer, or the standby while that does not serve.

The two records have a name of their own, at which the load balancer's name points: so a failover comes and goes
without a moment in which the name has no record. It is the data plane of Route 53 that decides, in no region at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import component_type
from .records import Role, Target, create_record
from .settings import FailoverConfig, LoadBalancerConfig

ALARM_MINUTES = 3
_METRICS = {"application": "AWS/ApplicationELB", "network": "AWS/NetworkELB"}


@dataclass(frozen=True, kw_only=True)
class FailoverArgs:
    """Arguments of :class:`Failover`.

    Attributes:
        checks: what is looked at: ``endpoint``, ``targets`` or both.
        balancer: the stack's own load balancer, as configured.
        load_balancer_arn: the same, as made.
        target_group_arn: its target group.
        primary, standby: where the name leads, and where it leads while that does not serve.
    """

    name: str
    region: str
    config: FailoverConfig
    checks: tuple[str, ...]
    balancer: LoadBalancerConfig
    load_balancer_arn: pulumi.Input[str]
    target_group_arn: pulumi.Input[str]
    primary: Target
    standby: Target


class Failover(pulumi.ComponentResource):
    """Health checks of the stack's own load balancer, and the two records.

    Attributes:
        health_check_id: what decides.
        records: the two records, to wait for.
        target: what leads to them.
    """

    health_check_id: pulumi.Output[str]
    records: list[pulumi.Resource]
    target: Target

    def __init__(self, name: str, args: FailoverArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Failover), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.health_check_id = self._create_health_check()
        self.records = self._create_records()
        self.register_outputs({"health_check_id": self.health_check_id})

    def _tags(self, suffix: str) -> dict[str, str]:
        return {"Name": f"{self._args.name}-{suffix}"}

    def _create_health_check(self) -> pulumi.Output[str]:
        makers = {"endpoint": self._create_endpoint_check, "targets": self._create_targets_check}
        found = [makers[check]().id for check in self._args.checks]
        if len(found) == 1:
            return found[0]
        return aws.route53.HealthCheck(
            f"{self._name}-check",
            type="CALCULATED",
            child_healthchecks=found,
            child_health_threshold=self._args.config.healthy_checks or len(found),
            tags=self._tags("serves"),
            opts=self._child,
        ).id

    def _create_endpoint_check(self) -> aws.route53.HealthCheck:
        """By the load balancer's own name: the one that fails over would be found healthy at the standby."""
        args, endpoint = self._args, self._args.config.endpoint
        return aws.route53.HealthCheck(
            f"{self._name}-endpoint",
            fqdn=args.primary.dns_name,
            port=args.balancer.listens_on,
            request_interval=endpoint.interval_s,
            failure_threshold=endpoint.failures,
            regions=list(endpoint.regions) if endpoint.regions else None,
            tags=self._tags("endpoint"),
            **probe(args.balancer),
            opts=self._child,
        )

    def _create_targets_check(self) -> aws.route53.HealthCheck:
        """Route 53 reads the alarm's numbers itself; without any (the region is lost) nobody serves."""
        alarm = self._create_alarm()
        return aws.route53.HealthCheck(
            f"{self._name}-targets",
            type="CLOUDWATCH_METRIC",
            cloudwatch_alarm_name=alarm.name,
            cloudwatch_alarm_region=self._args.region,
            insufficient_data_health_status="Unhealthy",
            tags=self._tags("targets"),
            opts=self._child,
        )

    def _create_alarm(self) -> aws.cloudwatch.MetricAlarm:
        """No zone has a healthy target, for minutes; no number at all means that nothing was ever registered."""
        args = self._args
        balancer, group = map(pulumi.Output.from_input, (args.load_balancer_arn, args.target_group_arn))
        dimensions = {
            "LoadBalancer": balancer.apply(lambda arn: arn.rpartition(":loadbalancer/")[2]),
            "TargetGroup": group.apply(lambda arn: arn.rpartition(":")[2]),
        }
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-alarm",
            name=f"{args.name}-no-healthy-targets",
            alarm_description="The load balancer has no healthy target: its name answers from the standby.",
            namespace=_METRICS[args.balancer.kind],
            metric_name="HealthyHostCount",
            dimensions=dimensions,
            statistic="Maximum",
            comparison_operator="LessThanThreshold",
            threshold=1,
            period=60,
            evaluation_periods=ALARM_MINUTES,
            treat_missing_data="breaching",
            opts=self._child,
        )

    def _create_records(self) -> list[pulumi.Resource]:
        args = self._args
        zone_id, name = args.balancer.zone_id or "", failover_name(args.name, args.balancer)
        is_alias = args.standby.zone_id is not None
        self.target = Target(dns_name=name, zone_id=zone_id if is_alias else None, ttl_s=args.standby.ttl_s)
        primary = args.primary if is_alias else Target(dns_name=args.primary.dns_name, ttl_s=args.standby.ttl_s)
        first = Role(kind="PRIMARY", identifier=f"{args.name}-primary", health_check_id=self.health_check_id)
        second = Role(kind="SECONDARY", identifier=f"{args.name}-secondary")
        return [
            create_record(f"{self._name}-primary", zone_id, name, primary, self._child, first),
            create_record(f"{self._name}-secondary", zone_id, name, args.standby, self._child, second),
        ]


def failover_name(stack_name: str, balancer: LoadBalancerConfig) -> str:
    """The name of the two records, below the load balancer's."""
    return f"{stack_name}-failover.{(balancer.domain_name or '').removeprefix('*.')}"


def probe(balancer: LoadBalancerConfig) -> dict[str, Any]:
    """What Route 53 asks: what the load balancer asks its targets, over TLS; it does not look at the certificate."""
    if balancer.check_protocol == "tcp":
        return {"type": "TCP"}
    return {"type": "HTTPS", "resource_path": balancer.health_check.path or "/healthz", "enable_sni": True}
