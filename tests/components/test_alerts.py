"""People are told of what they should know, by an encrypted topic that lets in who tells it, and nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.alarms import Alarm, Watched, alarms
from components.alert_topic import PUBLISHERS, publish_policy
from components.alerts import event_patterns
from components.budget import notifications
from components.config import load
from components.dashboard import dashboard
from components.datasets import least_rpo_minutes
from components.encryption import key_policy
from components.outputs import DatacenterOutputs
from components.rules.alerts import tells_from_recovery
from components.settings import AlertsConfig, BudgetConfig, StackConfig

from .stack_files import GOOD, problems
from .test_datacenter import ROOT, is_there, program

GOLDEN = Path(__file__).with_name("dashboard.json")
WATCHED = Watched[str](
    nat_gateways=("nat-0a", "nat-0b"),
    lustre={"fast": "fs-1"},
    lustre_gib={"fast": 9600},
    efs={"homes": "fs-2"},
    balancer=("application", "app/dc/1", "targetgroup/dc/2"),
    server="i-1",
    replicas={"data": ("dc-data", "dc-data-there")},
    replica_region="us-west-2",
    rpo_minutes={"data": 15},
)


def config() -> StackConfig:
    return load(ROOT / "Pulumi.prod.yaml")


def by_name(watched: Watched[str] = WATCHED, **alerts: Any) -> dict[str, Alarm]:
    return {one.name: one for one in alarms(AlertsConfig(emails=("a@example.com",), **alerts), watched)}


def test_each_part_has_an_alarm_and_a_part_that_is_not_there_has_none() -> None:
    assert set(by_name()) == {
        "nat-0-ports", "nat-1-ports", "lustre-fast-full", "efs-homes-limit", "load-balancer-unhealthy",
        "load-balancer-5xx-services", "load-balancer-5xx-itself", "monitoring-down", "replica-data-late",
        "replica-data-failed",
    }  # fmt: skip
    assert by_name(Watched[str]()) == {}


def test_lustre_tells_at_the_share_that_the_stack_file_names() -> None:
    alarm = by_name(lustre_free_percent=20)["lustre-fast-full"]
    assert (alarm.threshold, alarm.comparison) == (9600 * 2**30 * 0.2, "LessThanThreshold")


def test_an_efs_that_bursts_tells_before_its_credits_are_gone_and_another_has_none() -> None:
    found = by_name(Watched[str](efs={"homes": "fs-2", "code": "fs-3"}, bursting=("homes",)))
    assert set(found) == {"efs-homes-limit", "efs-homes-credits", "efs-code-limit"}


def test_a_silent_server_is_down_and_a_silent_gateway_is_fine() -> None:
    found = by_name()
    assert (found["monitoring-down"].missing, found["nat-0-ports"].missing) == ("breaching", "notBreaching")


def test_a_network_load_balancer_has_no_answers_to_count() -> None:
    found = by_name(Watched[str](balancer=("network", "net/dc/1", "targetgroup/dc/2")))
    assert [(one.name, one.namespace) for one in found.values()] == [("load-balancer-unhealthy", "AWS/NetworkELB")]


def test_a_replica_is_late_before_any_dataset_loses_more_than_it_may_and_an_object_without_one_is_told_at_once() -> (
    None
):
    found = by_name()
    late, failed = found["replica-data-late"], found["replica-data-failed"]
    assert (late.metric, late.threshold, late.missing) == ("ReplicationLatency", 15 * 60, "missing")
    assert "15 minutes; its datasets may lose 15" in late.text
    assert (failed.metric, failed.statistic, failed.threshold) == ("OperationsFailedReplication", "Sum", 0)
    assert "may lose" not in by_name(replace(WATCHED, rpo_minutes={}))["replica-data-late"].text


def test_what_a_bucket_may_lose_is_the_least_that_any_of_its_datasets_may(tmp_path: Path) -> None:
    datasets = """  ai-datacenter:recovery: {region: us-west-2, cidr: 10.1.0.0/16, replication: {}}
  ai-datacenter:storage:
    datasets:
      aa: {kind: s3, class: critical, owner: me, rpo_minutes: 60, rto_minutes: 60}
      bb: {kind: s3, class: critical, owner: me, rpo_minutes: 30, rto_minutes: 60}
      cc: {kind: s3, class: reproducible, owner: me}
      dd: {kind: s3, place: checkpoints, class: reproducible, owner: me}
"""
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(GOOD + datasets)
    assert least_rpo_minutes("s3", load(file)) == {"data": 30}


def test_an_alarm_of_a_replica_is_in_the_region_that_has_its_metric_and_tells_the_topic_there() -> None:
    cloud, found = program("prod")
    outputs = DatacenterOutputs.model_validate(found)
    assert outputs.alerts
    assert outputs.replicas
    where = {one.name: is_there(one.provider) for one in cloud.resources}
    made = cloud.of("aws:cloudwatch/metricAlarm:MetricAlarm")
    for kind in ("data", "checkpoints"):
        late, failed = made[f"alerts-replica-{kind}-late"], made[f"alerts-replica-{kind}-failed"]
        assert late["alarmActions"] == late["okActions"] == [outputs.alerts.recovery_topic_arn]
        assert failed["alarmActions"] == failed["okActions"] == [outputs.alerts.topic_arn]
        assert (where[f"alerts-replica-{kind}-late"], where[f"alerts-replica-{kind}-failed"]) == (True, False)
        rule = cloud.of("aws:s3/bucketReplicationConfig:BucketReplicationConfig")[f"bucket-replication-{kind}-rule"]
        assert (
            late["dimensions"]
            == failed["dimensions"]
            == {
                "SourceBucket": rule["bucket"],
                "DestinationBucket": outputs.replicas.buckets[kind],
                "RuleId": rule["rules"][0]["id"],
            }
        )


def test_every_alarm_tells_the_topic_when_it_begins_and_when_it_ends() -> None:
    cloud, found = program("prod")
    outputs = DatacenterOutputs.model_validate(found)
    assert outputs.alerts
    made = cloud.of("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert made["alerts-nat-0-ports"]["dimensions"] == {"NatGatewayId": "network-nat-0-id"}
    for alarm in [alarm for name, alarm in made.items() if name.startswith("alerts-")]:
        assert alarm["alarmActions"] == alarm["okActions"]
        assert alarm["alarmActions"][0] in (outputs.alerts.topic_arn, outputs.alerts.recovery_topic_arn)
        assert alarm["alarmDescription"]
        assert alarm["period"] * alarm["evaluationPeriods"] <= 86_400  # CloudWatch API reference, PutMetricAlarm


def test_a_stack_without_the_section_has_no_topic_and_its_key_no_publishers() -> None:
    cloud = program("local")[0]
    kinds = {resource.typ for resource in cloud.resources}
    assert not [kind for kind in kinds if kind.startswith(("aws:sns", "aws:cloudwatch/metric", "aws:budgets"))]
    (key,) = cloud.of("aws:kms/key:Key").values()
    assert "Publishers" not in key["policy"]


def test_the_topic_is_encrypted_with_a_key_that_whoever_publishes_may_use() -> None:
    cloud = program("prod")[0]
    topics = cloud.of("aws:sns/topic:Topic")
    keys = {"alerts-topic": "encryption-key", "alerts-recovery-topic": "encryption-replica"}
    assert {name: one["kmsMasterKeyId"].rpartition(":")[2] for name, one in topics.items()} == keys
    policies = cloud.of("aws:kms/key:Key") | cloud.of("aws:kms/replicaKey:ReplicaKey")
    for key in keys.values():
        statements = json.loads(policies[key]["policy"])["Statement"]
        (publishers,) = [one for one in statements if one["Sid"] == "Publishers"]
        assert set(publishers["Principal"]["Service"]) == set(PUBLISHERS)
        assert set(publishers["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    allowed = [one for one in publish_policy("arn:t", "1")["Statement"] if one["Effect"] == "Allow"]
    assert {one["Principal"]["Service"] for one in allowed} == set(PUBLISHERS)
    conditional = {one["Principal"]["Service"] for one in allowed if "Condition" in one}
    assert conditional == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}  # the others are documented without


def test_each_vault_tells_the_topic_of_its_own_region_and_both_topics_reach_the_same_people() -> None:
    cloud, found = program("prod")
    alerts = DatacenterOutputs.model_validate(found).alerts
    assert alerts
    told = cloud.of("aws:backup/vaultNotifications:VaultNotifications")
    assert {name: one["snsTopicArn"] for name, one in told.items()} == {
        "backup-notifications": alerts.topic_arn,
        "backup-copies-notifications": alerts.recovery_topic_arn,
    }
    there = {one.name for one in cloud.resources if is_there(one.provider)}
    assert {"alerts-recovery-topic", "alerts-recovery-topic-policy", "backup-copies-notifications"} <= there
    ends: dict[str, set[str]] = {}
    for one in cloud.of("aws:sns/topicSubscription:TopicSubscription").values():
        ends.setdefault(one["topic"], set()).add(one["endpoint"])
    assert set(ends) == {alerts.topic_arn, alerts.recovery_topic_arn}
    assert len({frozenset(one) for one in ends.values()}) == 1


COPIED = """  ai-datacenter:alerts: {emails: [a@example.com]}
  ai-datacenter:recovery: {region: us-west-2, cidr: 10.1.0.0/16}
  ai-datacenter:storage:
    datasets: {tokens: {kind: s3, class: reproducible, owner: me}}
  ai-datacenter:backup:
    plans: {all: {datasets: [tokens], rules: {daily: {retention_days: 35, COPY}}}}
"""


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        (COPIED.replace("COPY", "recovery_copy: {retention_days: 35}"), True),
        (COPIED.replace(", COPY", ""), False),
        (COPIED.replace(", COPY", "").replace("1.0.0/16}", "1.0.0/16, replication: {}}"), True),
        (COPIED.replace(", COPY", "").replace("1.0.0/16}", "1.0.0/16, replication: {buckets: []}}"), False),
        (COPIED.replace("COPY", "recovery_copy: {retention_days: 35}").partition("\n")[2], False),
    ],
)
def test_the_recovery_region_has_a_topic_only_where_it_has_something_to_tell(
    tmp_path: Path, text: str, tells: bool
) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(GOOD + text)
    assert tells_from_recovery(load(file)) is tells


def test_a_key_policy_stays_as_it_was_for_who_declares_none_of_it() -> None:
    before = key_policy("1", "us-east-1")
    assert [one["Sid"] for one in before["Statement"]] == ["Account", "Logs", "NodeDisks", "NodeDiskGrants"]


def test_people_hear_of_retired_machines_ends_of_reservations_and_machines_that_are_not_had() -> None:
    patterns = event_patterns(config().name, findings=False)
    assert set(patterns) == {"health", "capacity", "no-machine"}
    assert {"prefix": "Capacity Block Reservation"} in patterns["capacity"]["detail-type"]
    groups = program("prod")[0].of("aws:eks/nodeGroup:NodeGroup").values()
    (prefix,) = patterns["no-machine"]["detail"]["AutoScalingGroupName"]
    assert all(f"eks-{group['nodeGroupName']}-1".startswith(prefix["prefix"]) for group in groups)


def test_a_budget_tells_at_each_threshold() -> None:
    told = notifications(BudgetConfig(monthly_usd=5, actual_percent=(50,), forecast_percent=(90, 110)), "arn:t")
    kinds = [(one["notification_type"], one["threshold"]) for one in told]
    assert kinds == [("ACTUAL", 50), ("FORECASTED", 90), ("FORECASTED", 110)]


def test_the_dashboard_is_the_one_that_was_looked_at() -> None:
    """``dashboard.json`` is what CloudWatch's console was checked against; a change is to be seen in it."""
    found = dashboard("us-east-2", list(by_name().values()), WATCHED)
    assert json.dumps(found, indent=2) + "\n" == GOLDEN.read_text()


def test_no_two_graphs_of_the_dashboard_lie_on_each_other() -> None:
    widgets = dashboard("us-east-2", list(by_name().values()), WATCHED)["widgets"]
    places = [(one["x"], one["y"]) for one in widgets]
    assert len(set(places)) == len(places)
    assert all(one["x"] + one["width"] <= 24 for one in widgets)


@pytest.mark.parametrize(
    ("section", "key", "reason"),
    [
        ("{}", "alerts", "nobody would hear"),
        ("{emails: [a@example.com, a@example.com]}", "alerts.emails.1", "a second time"),
        ("{emails: [nobody]}", "alerts.emails.0", ""),
        ("{https: ['http://example.com']}", "alerts.https.0", ""),
        (
            "{emails: [a@example.com], budget: {monthly_usd: 1, actual_percent: [], forecast_percent: []}}",
            "alerts.budget",
            "tells nobody",
        ),
        ("{emails: [a@example.com], budget: {monthly_usd: 0}}", "alerts.budget.monthly_usd", ""),
    ],
)
def test_alerts_that_reach_nobody_are_refused(tmp_path: Path, section: str, key: str, reason: str) -> None:
    (problem,) = problems(tmp_path, f"{GOOD}  ai-datacenter:alerts: {section}\n")
    assert problem.key == f"ai-datacenter:{key}"
    assert reason in problem.message
