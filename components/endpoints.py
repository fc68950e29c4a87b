"""A VPC's private endpoints: ways to AWS's services that leave neither the network nor, if wanted, the account."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .settings import NetworkConfig

# Services that are asked without credentials of the caller's account in the request: the owner cannot be told.
_UNSIGNED = ("sts",)


@dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    """``name``: prefix of the resources' names, ``tag_name`` that of their tag ``Name``."""

    name: str
    tag_name: str
    region: str
    config: NetworkConfig
    account_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    route_table_ids: Sequence[pulumi.Input[str]]
    subnet_ids: Sequence[pulumi.Input[str]]


def create_endpoints(args: EndpointsArgs, opts: pulumi.ResourceOptions) -> None:
    """The gateway endpoint of S3, and one interface endpoint a service with one group for all of them."""
    _create_gateway(args, opts)
    if not args.config.services:
        return
    group = _create_group(args, opts)
    for service in args.config.services:
        aws.ec2.VpcEndpoint(
            f"{args.name}-{service.replace('.', '-')}",
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.region}.{service}",
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            policy=None if service in _UNSIGNED else _policy(args, own_account),
            subnet_ids=args.subnet_ids,
            security_group_ids=[group.id],
            tags={"Name": f"{args.tag_name}-{service}"},
            opts=opts,
        )


def _create_gateway(args: EndpointsArgs, opts: pulumi.ResourceOptions) -> None:
    """Datasets and checkpoints reach S3 without a NAT gateway, which bills each byte."""
    aws.ec2.VpcEndpoint(
        f"{args.name}-s3",
        vpc_id=args.vpc_id,
        service_name=f"com.amazonaws.{args.region}.s3",
        vpc_endpoint_type="Gateway",
        policy=_policy(args, s3_access),
        route_table_ids=args.route_table_ids,
        tags={"Name": f"{args.tag_name}-s3"},
        opts=opts,
    )


def _create_group(args: EndpointsArgs, opts: pulumi.ResourceOptions) -> aws.ec2.SecurityGroup:
    group = aws.ec2.SecurityGroup(
        f"{args.name}-endpoints",
        description="HTTPS from inside the VPC to the interface endpoints",
        vpc_id=args.vpc_id,
        tags={"Name": f"{args.tag_name}-endpoints"},
        opts=opts,
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{args.name}-endpoints-https",
        security_group_id=group.id,
        cidr_ipv4=str(args.config.cidr),
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        opts=opts,
    )
    return group


def _policy(args: EndpointsArgs, of: Any) -> pulumi.Output[str] | None:
    if args.config.endpoint_access == "any_account":
        return None
    return pulumi.Output.from_input(args.account_id).apply(lambda account: json.dumps(of(account, args.region)))


def own_account(account_id: str, region: str) -> dict[str, Any]:
    """An endpoint's policy that takes credentials of one account; what they may do, IAM decides."""
    condition = {"StringEquals": {"aws:PrincipalAccount": account_id}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def s3_access(account_id: str, region: str) -> dict[str, Any]:
    """The same for S3, which is also asked for what belongs to AWS, without credentials of the account.

    Layers of images (ECR guide, "Minimum Amazon S3 Bucket Permissions for Amazon ECR") and the packages of Amazon
    Linux 2023 (its guide, "Deterministic upgrades": the repositories are in S3).
    """
    buckets = (f"prod-{region}-starport-layer-bucket", f"al2023-repos-{region}-de612dc2")
    own = own_account(account_id, region)
    aws_own = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": [f"arn:aws:s3:::{bucket}/*" for bucket in buckets],
    }
    return {**own, "Statement": [*own["Statement"], aws_own]}
