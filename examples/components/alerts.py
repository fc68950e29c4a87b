"""Alerts for a load balancer and a file system that somebody else made: one topic, alarms, a dashboard, a budget."""

import json

import pulumi
import pulumi_aws as aws

from components.alarms import Watched
from components.alert_topic import PUBLISHERS
from components.alerts import Alerts, AlertsArgs
from components.encryption import key_policy
from components.settings import AlertsConfig, BudgetConfig

REGION = pulumi.Config("aws").require("region")
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:111122223333:loadbalancer/app/llm/50dc6c495c0c9188"
TARGETS = f"arn:aws:elasticloadbalancing:{REGION}:111122223333:targetgroup/llm/73e2d6bc24d8a067"

account_id = aws.get_caller_identity_output().account_id
# A topic that is encrypted takes messages of those alone that its key lets in.
policy = account_id.apply(lambda id: json.dumps(key_policy(id, REGION, publishers=PUBLISHERS)))
key = aws.kms.Key("own", policy=policy)

alerts = Alerts(
    "alerts",
    AlertsArgs(
        name="research",
        region=REGION,
        account_id=account_id,
        key_arn=key.arn,
        config=AlertsConfig(emails=("oncall@example.com",), budget=BudgetConfig(monthly_usd=20_000)),
    ),
)
alerts.watch(
    Watched(
        lustre={"scratch": "fs-0123456789abcdef0"},
        lustre_gib={"scratch": 4800},
        balancer=("application", BALANCER, TARGETS),
    )
)

pulumi.export("topic_arn", alerts.topic_arn)
pulumi.export("dashboard_name", alerts.dashboard_name)
