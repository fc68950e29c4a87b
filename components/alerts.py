"""Who is told of what: alarms, AWS's own events and the bill go to one topic; a dashboard shows the same numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .alarms import Alarm, Watched, alarms
from .alert_topic import AlertTopicArgs, create_topic
from .budget import create_budget
from .dashboard import dashboard
from .naming import component_type
from .settings import AlertsConfig, StackConfig


@dataclass(frozen=True, kw_only=True)
class AlertsArgs:
    """The parts that alarms look at; names are those of the stack file.

    Attributes:
        config: the whole stack file.
        alerts: its section ``alerts``.
        key_arn: the KMS key that encrypts the topic.
        nat_gateway_ids: the NAT gateways.
        lustre_ids: the FSx for Lustre file systems.
        efs_ids: the EFS file systems.
        balancer: the ends of the ARNs of load balancer and target group.
        server_id: the instance with Prometheus, where there is one.
        findings: whether GuardDuty tells any.
    """

    config: StackConfig
    alerts: AlertsConfig
    account_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    nat_gateway_ids: list[pulumi.Output[str]]
    lustre_ids: Mapping[str, pulumi.Output[str]]
    efs_ids: Mapping[str, pulumi.Output[str]]
    balancer: tuple[pulumi.Output[str], pulumi.Output[str]] | None = None
    server_id: pulumi.Output[str] | None = None
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
        self._stack_name = args.config.name
        self._child = pulumi.ResourceOptions(parent=self)
        topic, allowed = self._create_topic()
        self.topic_arn = topic.arn
        self._after = pulumi.ResourceOptions(parent=self, depends_on=[allowed])
        watched = self._watched()
        self._create_alarms(watched)
        for rule, pattern in event_patterns(args.config, args.findings).items():
            self._create_rule(rule, pattern)
        self.dashboard_name = self._create_dashboard(watched) if args.alerts.dashboard else None
        if args.alerts.budget:
            create_budget(f"{name}-budget", self._stack_name, args.alerts.budget, topic.arn, self._after)
        self.register_outputs({"topic_arn": self.topic_arn})

    def _create_topic(self) -> tuple[aws.sns.Topic, pulumi.Resource]:
        args = AlertTopicArgs(
            topic_name=f"{self._stack_name}-alerts",
            account_id=self._args.account_id,
            config=self._args.alerts,
            key_arn=self._args.key_arn,
        )
        return create_topic(self._name, args, self._child)

    def _watched(self) -> pulumi.Output[Watched]:
        args = self._args
        kind = self._kind()
        parts: dict[str, Any] = {
            "nat": args.nat_gateway_ids,
            "lustre": dict(args.lustre_ids),
            "efs": dict(args.efs_ids),
            "balancer": list(args.balancer or ()),
            "server": args.server_id,
        }
        return pulumi.Output.from_input(parts).apply(
            lambda known: Watched(
                nat_gateways=tuple(known["nat"]),
                lustre=known["lustre"],
                efs=known["efs"],
                balancer=(kind, *known["balancer"]) if known["balancer"] else None,
                server=known["server"],
            )
        )

    def _kind(self) -> str:
        return self._args.config.load_balancer.kind if self._args.config.load_balancer else ""

    def _create_alarms(self, watched: pulumi.Output[Watched]) -> None:
        """Which alarms there are, the configuration alone says: ids that are not known yet only fill them in."""
        args = self._args
        found = watched.apply(lambda known: {one.name: one for one in alarms(args.config, args.alerts, known)})
        for alarm in alarms(args.config, args.alerts, self._foreseen()):
            dimensions: Any = found.apply(lambda known, name=alarm.name: dict(known[name].dimensions))
            self._create_alarm(alarm, dimensions)

    def _foreseen(self) -> Watched:
        args = self._args
        return Watched(
            nat_gateways=("",) * len(args.nat_gateway_ids),
            lustre=dict.fromkeys(args.lustre_ids, ""),
            efs=dict.fromkeys(args.efs_ids, ""),
            balancer=(self._kind(), "", "") if args.balancer else None,
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
            lambda known: json.dumps(
                dashboard(args.config.aws.region, alarms(args.config, args.alerts, known), known), sort_keys=True
            )
        )
        aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard", dashboard_name=self._stack_name, dashboard_body=body, opts=self._child
        )
        return self._stack_name


def event_patterns(config: StackConfig, findings: bool) -> dict[str, dict[str, Any]]:
    """What AWS says of itself and that people should know, by the rule's name.

    Health tells of machines that are to be retired or stopped, and of services in trouble; reservations and blocks tell
    of their beginning and end, 40 minutes before (EC2 guide, "Monitor Capacity Blocks"); Auto Scaling, that it gets no
    machine.
    """
    groups = [{"prefix": f"eks-{config.name}-"}]
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
