"""Who is told of what: alarms, AWS's own events and the bill go to one topic; a dashboard shows the same numbers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from .alarms import Alarm, Watched, alarms
from .alert_topic import AlertTopicArgs, create_topic
from .budget import create_budget
from .dashboard import dashboard
from .naming import component_type
from .settings import AlertsConfig


@dataclass(frozen=True, kw_only=True)
class RecoveryTopicArgs:
    """A second topic, in the recovery region: what happens there can be told to no topic of another region.

    Attributes:
        region: its name.
        provider: AWS there.
        key_arn: the KMS key there.
    """

    region: str
    provider: aws.Provider
    key_arn: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class AlertsArgs:
    """Arguments of :class:`Alerts`.

    Attributes:
        key_arn: the KMS key that encrypts the topic.
        recovery: the recovery region's topic, where anything there has something to tell.
        findings: whether GuardDuty tells any.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: AlertsConfig
    key_arn: pulumi.Input[str]
    recovery: RecoveryTopicArgs | None = None
    findings: bool = False


class Alerts(pulumi.ComponentResource):
    """The topic and its subscriptions, rules for events, the budget; then alarms and the dashboard, see :meth:`watch`.

    Attributes:
        topic_arn: the topic that everything is told to.
        recovery_topic_arn: the recovery region's, with the same subscriptions; ``None`` without one.
        dashboard_name: CloudWatch's dashboard, ``None`` without one.
    """

    topic_arn: pulumi.Output[str]
    recovery_topic_arn: pulumi.Output[str] | None = None
    dashboard_name: str | None = None

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Alerts), name, None, opts)
        self._name, self._args = name, args
        self._stack_name = args.name
        self._child = pulumi.ResourceOptions(parent=self)
        self.topic_arn = self._create_topic(name, args.key_arn, self._child)
        self._regions = {args.region: (self.topic_arn, self._child)}
        if args.recovery:
            there = pulumi.ResourceOptions(parent=self, provider=args.recovery.provider)
            self.recovery_topic_arn = self._create_topic(f"{name}-recovery", args.recovery.key_arn, there)
            self._regions[args.recovery.region] = (self.recovery_topic_arn, there)
        for rule, pattern in event_patterns(args.name, args.findings).items():
            self._create_rule(rule, pattern)
        if args.config.budget:
            create_budget(f"{name}-budget", self._stack_name, args.config.budget, self.topic_arn, self._child)
        self.register_outputs({"topic_arn": self.topic_arn})

    def watch(self, watched: Watched[pulumi.Input[str]]) -> None:
        """Alarms and the dashboard of what has been built since the topic was.

        Which alarms there are, no id says: those that are not known yet only fill them in. Replicas need
        :attr:`AlertsArgs.recovery`.
        """
        args = self._args
        parts: Any = vars(watched)
        known = pulumi.Output.from_input(parts).apply(lambda parts: Watched[str](**parts))
        found = known.apply(lambda watched: {one.name: one for one in alarms(args.config, watched)})
        for alarm in alarms(args.config, Watched[str](**_foreseen(parts))):
            dimensions: Any = found.apply(lambda known, name=alarm.name: dict(known[name].dimensions))
            self._create_alarm(alarm, dimensions)
        if args.config.dashboard:
            self.dashboard_name = self._create_dashboard(known)

    def _create_topic(self, name: str, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        args = AlertTopicArgs(
            topic_name=f"{self._stack_name}-alerts",
            account_id=self._args.account_id,
            config=self._args.config,
            key_arn=key_arn,
        )
        return create_topic(name, args, opts)

    def _create_alarm(self, alarm: Alarm, dimensions: Any) -> None:
        periods = max(1, alarm.minutes * 60 // alarm.period_s)
        topic_arn, opts = self._regions[alarm.region or self._args.region]
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
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            opts=opts,
        )

    def _create_rule(self, label: str, pattern: dict[str, Any]) -> None:
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-on-{label}",
            name=f"{self._stack_name}-{label}",
            event_pattern=json.dumps(pattern, sort_keys=True),
            opts=self._child,
        )
        aws.cloudwatch.EventTarget(
            f"{self._name}-on-{label}-tell", rule=rule.name, target_id="alerts", arn=self.topic_arn, opts=self._child
        )

    def _create_dashboard(self, watched: pulumi.Output[Watched[str]]) -> str:
        args = self._args
        body = watched.apply(
            lambda known: json.dumps(dashboard(args.region, alarms(args.config, known), known), sort_keys=True)
        )
        aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard", dashboard_name=self._stack_name, dashboard_body=body, opts=self._child
        )
        return self._stack_name


def _foreseen(part: Any) -> Any:
    """The parts of a stack that is not there yet: the same ones, with ids that name nothing."""
    if isinstance(part, pulumi.Output | Awaitable):
        return ""
    if isinstance(part, Mapping):
        return {name: _foreseen(one) for name, one in cast(Mapping[str, Any], part).items()}
    if isinstance(part, Sequence) and not isinstance(part, str):
        return [_foreseen(one) for one in cast(Sequence[Any], part)]
    return part


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
