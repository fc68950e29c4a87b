"""Who called what in the account: a trail over all regions, whose files nobody changes without its being seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .access_logs import AccessLogsArgs, create_log_bucket, trail_name
from .naming import component_type
from .settings import TrailConfig


@dataclass(frozen=True, kw_only=True)
class TrailArgs:
    """Arguments of :class:`Trail`.

    Attributes:
        key_arn: a key that CloudTrail may use.
        bucket_arns: whose objects' events are data events.
        retain: whether a bucket with events stops a destroy.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: TrailConfig
    key_arn: pulumi.Input[str]
    bucket_arns: Sequence[pulumi.Input[str]]
    retain: bool


class Trail(pulumi.ComponentResource):
    """The trail and its bucket.

    Attributes:
        trail_arn: the trail.
        bucket_name: where its files are.
    """

    trail_arn: pulumi.Output[str]
    bucket_name: pulumi.Output[str]

    def __init__(self, name: str, args: TrailArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Trail), name, None, opts)
        self._name, self._args = name, args
        bucket, policy = create_log_bucket(self._bucket_args(), pulumi.ResourceOptions(parent=self))
        trail = self._create_trail(bucket, policy)
        self.trail_arn, self.bucket_name = trail.arn, bucket.bucket
        self.register_outputs({"trail_arn": self.trail_arn, "bucket_name": self.bucket_name})

    def _bucket_args(self) -> AccessLogsArgs:
        args = self._args
        return AccessLogsArgs(
            name=f"{self._name}-logs",
            stack_name=args.name,
            region=args.region,
            account_id=args.account_id,
            kind="trail",
            keep_days=args.config.keep_days,
            retain=args.retain,
            versioned=True,
        )

    def _create_trail(self, bucket: aws.s3.Bucket, policy: pulumi.Resource) -> aws.cloudtrail.Trail:
        args = self._args
        return aws.cloudtrail.Trail(
            f"{self._name}-trail",
            name=trail_name(args.name),
            s3_bucket_name=bucket.bucket,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            enable_logging=True,
            kms_key_id=args.key_arn,
            advanced_event_selectors=self._selectors() if args.config.data_events else None,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _selectors(self) -> Any:
        """Naming data events names all events: without the first selector calls of the API would be left out."""
        objects = [pulumi.Output.concat(arn, "/") for arn in self._args.bucket_arns]
        return [
            {"name": "calls", "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}]},
            {
                "name": "objects",
                "field_selectors": [
                    {"field": "eventCategory", "equals": ["Data"]},
                    {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                    {"field": "resources.ARN", "starts_withs": objects},
                ],
            },
        ]
