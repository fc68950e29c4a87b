"""All types by their tokens."""

from __future__ import annotations

from local.aws import (
    acm,
    autoscaling,
    backup,
    budgets,
    cloudtrail,
    cloudwatch,
    datasync,
    ec2_compute,
    ec2_endpoints,
    ec2_flow_logs,
    ec2_gateways,
    ec2_instance,
    ec2_peering,
    ec2_routing,
    ec2_security,
    ec2_vpc,
    ecr,
    efs,
    eks_access,
    eks_cluster,
    eks_node_group,
    elbv2,
    events,
    fsx,
    glue,
    guardduty,
    iam,
    iam_profile,
    kms,
    logs,
    logs_policy,
    replication,
    route53,
    s3,
    s3_settings,
    sns,
    sqs,
    ssm,
    wafv2,
)
from local.aws.resource_type import ResourceType

_TABLES = (
    ec2_vpc, ec2_gateways, ec2_routing, ec2_endpoints, ec2_flow_logs, ec2_security, ec2_compute, ec2_instance, iam,
    iam_profile, kms, logs, eks_cluster, eks_node_group, eks_access, s3, s3_settings, efs, fsx, ecr, ssm, ec2_peering,
    route53, acm, elbv2, wafv2, autoscaling, replication, cloudwatch, backup, logs_policy, datasync, glue, sns,
    sqs, events, budgets, cloudtrail, guardduty,
)  # fmt: skip

TYPES: dict[str, ResourceType] = {kind.token: kind for table in _TABLES for kind in table.TYPES}
