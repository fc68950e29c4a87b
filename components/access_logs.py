"""A bucket of its own for logs that AWS itself writes: a load balancer's, a trail's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .bucket import tls_only
from .naming import BUCKET_LIMIT, fit, partition


@dataclass(frozen=True, kw_only=True)
class AccessLogsArgs:
    """``name``: prefix of the resources' names; ``stack_name``: that of all names.

    ``kind``: of the load balancer, or ``trail``; ``versioned``: whether what is overwritten can still be had.
    """

    name: str
    stack_name: str
    region: str
    account_id: pulumi.Input[str]
    kind: str
    keep_days: int
    retain: bool
    versioned: bool = False


def create_log_bucket(args: AccessLogsArgs, opts: pulumi.ResourceOptions) -> tuple[aws.s3.Bucket, pulumi.Resource]:
    """The bucket, and its policy, which must be there before a load balancer may log into it.

    Encrypted with S3's own keys: an application load balancer can write with no other (its guide, "Access logs").
    """
    account_id = pulumi.Output.from_input(args.account_id)
    bucket = aws.s3.Bucket(
        args.name,
        bucket=account_id.apply(
            lambda account: fit(args.stack_name, args.name, account, args.region, limit=BUCKET_LIMIT)
        ),
        force_destroy=not args.retain,
        opts=opts,
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{args.name}-encryption",
        bucket=bucket.bucket,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=opts,
    )
    _create_lifecycle(args, bucket, opts)
    aws.s3.BucketOwnershipControls(
        f"{args.name}-ownership",
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=opts,
    )
    return bucket, _create_policy(args, bucket, opts)


def _create_lifecycle(args: AccessLogsArgs, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> None:
    rule: dict[str, Any] = {
        "id": "expire",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "expiration": {"days": args.keep_days},
        "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
    }
    after: list[pulumi.Resource] = []
    if args.versioned:
        rule["noncurrent_version_expiration"] = {"noncurrent_days": args.keep_days}
        enabled: Any = {"status": "Enabled"}
        versioning = aws.s3.BucketVersioning(
            f"{args.name}-versioning", bucket=bucket.bucket, versioning_configuration=enabled, opts=opts
        )
        after.append(versioning)
    aws.s3.BucketLifecycleConfiguration(
        f"{args.name}-lifecycle",
        bucket=bucket.bucket,
        rules=[rule],  # pyright: ignore[reportArgumentType]  # plain values, built and tested as such
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=after)),
    )


def _create_policy(args: AccessLogsArgs, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> aws.s3.BucketPolicy:
    block = aws.s3.BucketPublicAccessBlock(
        f"{args.name}-private",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    policy = pulumi.Output.all(bucket.arn, args.account_id).apply(
        lambda known: json.dumps(delivery_policy(args.kind, known[0], known[1], args.region, args.stack_name))
    )
    # S3 refuses two changes of a bucket's access at once.
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[block]))
    return aws.s3.BucketPolicy(f"{args.name}-policy", bucket=bucket.bucket, policy=policy, opts=after)


def trail_name(stack_name: str) -> str:
    """What the stack's trail is called in AWS."""
    return f"{stack_name}-trail"


def delivery_policy(kind: str, bucket_arn: str, account_id: str, region: str, stack_name: str = "") -> dict[str, Any]:
    """Who may write logs, for load balancers of this account or the stack's trail alone, and nobody without TLS.

    The principals differ by kind (guides of application and network load balancers, "Enable access logs"); the
    application one's replaces the accounts that each region had for it before.
    """
    tls = tls_only(bucket_arn)
    logs = f"{bucket_arn}/AWSLogs/{account_id}/*"
    if kind == "application":
        writer = _allow("logdelivery.elasticloadbalancing.amazonaws.com", "s3:PutObject", logs)
        return {**tls, "Statement": [*tls["Statement"], writer]}
    if kind == "trail":
        return {
            **tls,
            "Statement": [*tls["Statement"], *_trail_delivery(bucket_arn, logs, account_id, region, stack_name)],
        }
    source = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{region}:{account_id}:*"},
    }
    owned = {**source, "StringEquals": {**source["StringEquals"], "s3:x-amz-acl": "bucket-owner-full-control"}}
    delivery = "delivery.logs.amazonaws.com"
    writer = {**_allow(delivery, "s3:PutObject", logs), "Condition": owned}
    reader = {**_allow(delivery, "s3:GetBucketAcl", bucket_arn), "Condition": source}
    return {**tls, "Statement": [*tls["Statement"], writer, reader]}


def _trail_delivery(bucket_arn: str, logs: str, account_id: str, region: str, stack_name: str) -> list[dict[str, Any]]:
    """CloudTrail guide, "Amazon S3 bucket policy for CloudTrail"."""
    trail = f"arn:{partition(region)}:cloudtrail:{region}:{account_id}:trail/{trail_name(stack_name)}"
    service, source = "cloudtrail.amazonaws.com", {"aws:SourceArn": trail}
    owned = {**source, "s3:x-amz-acl": "bucket-owner-full-control"}
    return [
        {**_allow(service, "s3:GetBucketAcl", bucket_arn), "Condition": {"StringEquals": source}},
        {**_allow(service, "s3:PutObject", logs), "Condition": {"StringEquals": owned}},
    ]


def _allow(service: str, action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
