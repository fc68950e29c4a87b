"""The topic that everything tells, who may write into it, and who hears it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import digest
from .settings import AlertsConfig

# What publishes: each also needs the key that the topic is encrypted with.
PUBLISHERS = (
    "cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com", "backup.amazonaws.com",
)  # fmt: skip
# A condition in the topic's policy keeps EventBridge from it (EventBridge guide, "Using resource-based policies"); of
# AWS Backup nothing says that it would name its source (AWS Backup guide, "Notification options with AWS Backup").
_UNCONDITIONAL = ("events.amazonaws.com", "backup.amazonaws.com")


@dataclass(frozen=True, kw_only=True)
class AlertTopicArgs:
    """``key_arn``: a key that :data:`PUBLISHERS` may use; ``topic_name``: in AWS."""

    topic_name: str
    account_id: pulumi.Input[str]
    config: AlertsConfig
    key_arn: pulumi.Input[str]


def create_topic(name: str, args: AlertTopicArgs, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """The topic's ARN, which is not known before its policy is there: what publishes would be refused until then."""
    topic = aws.sns.Topic(f"{name}-topic", name=args.topic_name, kms_master_key_id=args.key_arn, opts=opts)
    policy = aws.sns.TopicPolicy(
        f"{name}-topic-policy",
        arn=topic.arn,
        policy=pulumi.Output.all(topic.arn, args.account_id).apply(
            lambda known: json.dumps(publish_policy(known[0], known[1]))
        ),
        opts=opts,
    )
    endpoints = [("email", address) for address in args.config.emails] + [("https", url) for url in args.config.https]
    for protocol, endpoint in endpoints:
        aws.sns.TopicSubscription(
            f"{name}-{protocol}-{digest(endpoint)[:8]}",
            topic=topic.arn,
            protocol=protocol,
            endpoint=endpoint,
            endpoint_auto_confirms=True if protocol == "https" else None,
            opts=opts,
        )
    return pulumi.Output.all(topic.arn, policy.id).apply(lambda known: known[0])


def publish_policy(topic_arn: str, account_id: str) -> dict[str, Any]:
    """The account's own alarms, rules and budgets, and nobody without TLS."""
    source = {"Condition": {"StringEquals": {"aws:SourceAccount": account_id}}}
    statements = [
        {
            "Sid": service.partition(".")[0].capitalize(),
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            **({} if service in _UNCONDITIONAL else source),
        }
        for service in PUBLISHERS
    ]
    tls = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [*statements, tls]}
