"""Who is told of what: alarms, AWS's own events and the bill go to one topic; a dashboard shows the same numbers."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from .alarms import Alarm, Watched, alarms
from .alert_topic import AlertTopicArgs, create_topic
from .budget import create_budget
from .dashboard import dashboard
from .naming import component_type
from .settings import AlertsConfig


@dataclass(frozen=True, kw_only=True)
class BalancerArgs:
    """A load balancer, and whether it serves.

    Attributes:
        kind: what it balances: connections or HTTP requests.
        load_balancer_arn: its ARN.
        target_group_arn: the group with its targets.
    """

    kind: Literal["network", "application"]
    load_balancer_arn: pulumi.Input[str]
    target_group_arn: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class AlertsArgs:
    """The parts that alarms look at, each where there is any.

    Attributes:
        key_arn: the KMS key that encrypts the topic.
        nat_gateway_ids: the NAT gateways.
        lustre_ids: the FSx for Lustre file systems by name.
        lustre_gib: their capacities, GiB.
        efs_ids: the EFS file systems by name.
        bursting_efs: the names of those in bursting mode, whose credits can run out.
        balancer: the load balancer.
        server_id: the instance with Prometheus.
        findings: whether GuardDuty tells any.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: AlertsConfig
    key_arn: pulumi.Input[str]
    nat_gateway_ids: Sequence[pulumi.Input[str]] = ()
    lustre_ids: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    lustre_gib: Mapping[str, int] = field(default_factory=dict[str, int])
    efs_ids: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    bursting_efs: Collection[str] = ()
    balancer: BalancerArgs | None = None
    server_id: pulumi.Input[str] | None = None
    findings: bool = False


class Alerts(pulumi.ComponentResource):
    """The topic and its subscriptions, alarms, rules for events, the dashboard and the budget.

    Attributes:
        topic_arn: the topic that everything is told to.
        dashboard_name: CloudWatch's dashboard, ``None`` without one.
    """

    topic_arn: pulumi.Output[str]
    dashboard_name: str | None

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Alerts), name, None, opts)
        self._name, self._args = name, args
        self._stack_name = args.name
        self._child = pulumi.ResourceOptions(parent=self)
        topic, allowed = self._create_topic()
        self.topic_arn = topic.arn
        self._after = pulumi.ResourceOptions(parent=self, depends_on=[allowed])
        watched = self._watched()
        self._create_alarms(watched)
        for rule, pattern in event_patterns(args.name, args.findings).items():
            self._create_rule(rule, pattern)
        self.dashboard_name = self._create_dashboard(watched) if args.config.dashboard else None
        if args.config.budget:
            create_budget(f"{name}-budget", self._stack_name, args.config.budget, topic.arn, self._after)
        self.register_outputs({"topic_arn": self.topic_arn})

    def _create_topic(self) -> tuple[aws.sns.Topic, pulumi.Resource]:
        args = AlertTopicArgs(
            topic_name=f"{self._stack_name}-alerts",
            account_id=self._args.account_id,
            config=self._args.config,
            key_arn=self._args.key_arn,
        )
        return create_topic(self._name, args, self._child)

    def _watched(self) -> pulumi.Output[Watched]:
        args = self._args
        balancer = args.balancer
        arns = [balancer.load_balancer_arn, balancer.target_group_arn] if balancer else None
        parts: dict[str, Any] = {
            "nat": list(args.nat_gateway_ids),
            "lustre": dict(args.lustre_ids),
            "efs": dict(args.efs_ids),
            "balancer": arns,
            "server": args.server_id,
        }
        return pulumi.Output.from_input(parts).apply(
            lambda known: Watched(
                nat_gateways=tuple(known["nat"]),
                lustre=known["lustre"],
                lustre_gib=args.lustre_gib,
                efs=known["efs"],
                bursting=args.bursting_efs,
                balancer=(balancer.kind, *_ends(*known["balancer"])) if balancer else None,
                server=known["server"],
            )
        )

    def _create_alarms(self, watched: pulumi.Output[Watched]) -> None:
        """Which alarms there are, the configuration alone says: ids that are not known yet only fill them in."""
        args = self._args
        found = watched.apply(lambda known: {one.name: one for one in alarms(args.config, known)})
        for alarm in alarms(args.config, self._foreseen()):
            dimensions: Any = found.apply(lambda known, name=alarm.name: dict(known[name].dimensions))
            self._create_alarm(alarm, dimensions)

    def _foreseen(self) -> Watched:
        args = self._args
        return Watched(
            nat_gateways=("",) * len(args.nat_gateway_ids),
            lustre=dict.fromkeys(args.lustre_ids, ""),
            lustre_gib=args.lustre_gib,
            efs=dict.fromkeys(args.efs_ids, ""),
            bursting=args.bursting_efs,
            balancer=(args.balancer.kind, "", "") if args.balancer else None,
            server="known later" if args.server_id is not None else None,
        )

    def _create_alarm(self, alarm: Alarm, dimensions: Any) -> None:
        periods = max(1, alarm.minutes * 60 // alarm.period_s)
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.name}",
            name=f"{self._stack_name}-{alarm.name}",
            alarm_description=alarm.text,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=dimensions,
            statistic=alarm.statistic,
            period=alarm.period_s,
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            threshold=alarm.threshold,
            comparison_operator=alarm.comparison,
            treat_missing_data=alarm.missing,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            opts=self._after,
        )

    def _create_rule(self, label: str, pattern: dict[str, Any]) -> None:
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-on-{label}",
            name=f"{self._stack_name}-{label}",
            event_pattern=json.dumps(pattern, sort_keys=True),
            opts=self._child,
        )
        aws.cloudwatch.EventTarget(
            f"{self._name}-on-{label}-tell", rule=rule.name, target_id="alerts", arn=self.topic_arn, opts=self._after
        )

    def _create_dashboard(self, watched: pulumi.Output[Watched]) -> str:
        args = self._args
        body = watched.apply(
            lambda known: json.dumps(dashboard(args.region, alarms(args.config, known), known), sort_keys=True)
        )
        aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard", dashboard_name=self._stack_name, dashboard_body=body, opts=self._child
        )
        return self._stack_name


def _ends(load_balancer_arn: str, target_group_arn: str) -> tuple[str, str]:
    """Load balancer and target group as CloudWatch names them: the ends of their ARNs."""
    return load_balancer_arn.rpartition(":loadbalancer/")[2], target_group_arn.rpartition(":")[2]


def event_patterns(name: str, findings: bool) -> dict[str, dict[str, Any]]:
    """What AWS says of itself and that people should know, by the rule's name; ``name``: what node groups begin with.

    Health tells of machines that are to be retired or stopped, and of services in trouble; reservations and blocks tell
    of their beginning and end, 40 minutes before (EC2 guide, "Monitor Capacity Blocks"); Auto Scaling, that it gets no
    machine.
    """
    groups = [{"prefix": f"eks-{name}-"}]
    reservations = [{"prefix": "Capacity Block Reservation"}, {"prefix": "EC2 Capacity Reservation"}]
    patterns: dict[str, dict[str, Any]] = {
        "health": {
            "source": ["aws.health"],
            "detail-type": ["AWS Health Event"],
            "detail": {"eventTypeCategory": ["issue", "scheduledChange"]},
        },
        "capacity": {"source": ["aws.ec2"], "detail-type": reservations},
        "no-machine": {
            "source": ["aws.autoscaling"],
            "detail-type": ["EC2 Instance Launch Unsuccessful"],
            "detail": {"AutoScalingGroupName": groups},
        },
    }
    if findings:
        # 4 and up are medium and high (GuardDuty guide, "Severity levels").
        severity = {"severity": [{"numeric": [">=", 4]}]}
        patterns["findings"] = {
            "source": ["aws.guardduty"],
            "detail-type": ["GuardDuty Finding"],
            "detail": severity,
        }
    return patterns
