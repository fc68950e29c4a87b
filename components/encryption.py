"""One KMS key for everything that rests: secrets, disks, buckets, images and logs; and the recovery region's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import component_type, partition

_USE: tuple[str, ...] = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
_LUSTRE_LINK_ROLE = "s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_*"


@dataclass(frozen=True, kw_only=True)
class ReplicaArgs:
    """The recovery region.

    Attributes:
        region: its name.
        provider: AWS there.
        multi_region: whether it has a replica of the key, or else a key of its own.
        publishers: services that write into a topic there that its key encrypts.
    """

    region: str
    provider: aws.Provider
    multi_region: bool = True
    publishers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EncryptionArgs:
    """Arguments of :class:`Encryption`.

    Attributes:
        retain: whether nothing deletes or replaces the key, which can be had back for 30 days (else 7, the least that
            KMS takes).
        lustre_links: whether FSx for Lustre reads and writes the buckets.
        replica: the recovery region, where there is one.
        trail: whether CloudTrail writes its logs with it.
        publishers: services that write into a topic that it encrypts.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    retain: bool
    lustre_links: bool = False
    replica: ReplicaArgs | None = None
    trail: bool = False
    publishers: tuple[str, ...] = ()


class Encryption(pulumi.ComponentResource):
    """A rotated customer key and its alias, and the same in the recovery region.

    Attributes:
        key_arn: the key's ARN.
        key_id: its id.
        replica_key_arn: the recovery region's key, ``None`` where there is no such region.
    """

    key_arn: pulumi.Output[str]
    key_id: pulumi.Output[str]
    replica_key_arn: pulumi.Output[str] | None

    def __init__(self, name: str, args: EncryptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Encryption), name, None, opts)
        self._name, self._args = name, args
        here = pulumi.ResourceOptions(parent=self, protect=args.retain)
        key = self._create_key(f"{name}-key", args.region, here)
        self._create_alias(f"{name}-alias", key.key_id, pulumi.ResourceOptions(parent=self))
        self.key_arn, self.key_id = key.arn, key.key_id
        self.replica_key_arn = self._create_replica(args.replica) if args.replica else None
        self.register_outputs({"key_arn": self.key_arn, "key_id": self.key_id, "replica_key_arn": self.replica_key_arn})

    def _create_key(self, name: str, region: str, opts: pulumi.ResourceOptions) -> aws.kms.Key:
        replica = self._args.replica
        return aws.kms.Key(
            name,
            description=self._description,
            enable_key_rotation=True,
            # Left out where it is false: a key that has never heard of it stays as it is.
            multi_region=True if replica and replica.multi_region else None,
            deletion_window_in_days=self._deletion_window_days,
            policy=self._policy(region),
            opts=opts,
        )

    def _create_replica(self, args: ReplicaArgs) -> pulumi.Output[str]:
        """The key's replica with a policy of that region, or a second key like it; KMS rotates a replica with its key.

        What is encrypted anew on its way (copies of backups, replicated objects and images) needs a key there, not the
        same one.
        """
        there = pulumi.ResourceOptions(parent=self, provider=args.provider)
        kept = pulumi.ResourceOptions.merge(there, pulumi.ResourceOptions(protect=self._args.retain))
        if args.multi_region:
            key = aws.kms.ReplicaKey(
                f"{self._name}-replica",
                primary_key_arn=self.key_arn,
                description=self._description,
                deletion_window_in_days=self._deletion_window_days,
                policy=self._policy(args.region),
                opts=kept,
            )
        else:
            key = self._create_key(f"{self._name}-recovery-key", args.region, kept)
        self._create_alias(f"{self._name}-recovery-alias", key.key_id, there)
        return key.arn

    def _create_alias(self, name: str, key_id: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
        aws.kms.Alias(name, name=f"alias/{self._args.name}", target_key_id=key_id, opts=opts)

    def _policy(self, region: str) -> pulumi.Output[str]:
        """The trail is in the stack's own region, and so is its key; topics are in both."""
        args = self._args
        at_home = region == args.region
        trail = args.trail and at_home
        publishers = args.publishers if at_home or args.replica is None else args.replica.publishers

        def policy(account_id: str) -> str:
            return json.dumps(key_policy(account_id, region, args.lustre_links, trail=trail, publishers=publishers))

        return pulumi.Output.from_input(args.account_id).apply(policy)

    @property
    def _description(self) -> str:
        return f"Everything at rest in {self._args.name}"

    @property
    def _deletion_window_days(self) -> int:
        return 30 if self._args.retain else 7


def key_policy(
    account_id: str,
    region: str,
    lustre_links: bool = False,
    *,
    trail: bool = False,
    publishers: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The account's IAM policies decide; what acts on its own behalf is named, with no more than it needs."""
    where = partition(region)
    root = f"arn:{where}:iam::{account_id}:root"
    roles = f"arn:{where}:iam::{account_id}:role/aws-service-role"
    autoscaling = f"{roles}/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    use = list(_USE)
    logs = f"arn:{where}:logs:{region}:{account_id}:*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"},
            {
                "Sid": "Logs",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{region}.amazonaws.com"},
                "Action": use,
                "Resource": "*",
                "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
            },
            _node_disks("NodeDisks", use, account_id, autoscaling, {}),
            # EBS asks for the key by a grant as long as the disk is attached, and for no other purpose.
            _node_disks(
                "NodeDiskGrants",
                ["kms:CreateGrant"],
                account_id,
                autoscaling,
                {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
            *([_lustre_links(account_id, region)] if lustre_links else []),
            *([_trail(account_id, region)] if trail else []),
            *([_publishers(publishers)] if publishers else []),
        ],
    }


def _node_disks(sid: str, actions: list[str], account_id: str, role: str, more: dict[str, Any]) -> dict[str, Any]:
    """A right of Auto Scaling's role, which starts the nodes: EC2 Auto Scaling guide, "Required key policy".

    It is a condition on anybody in the account: a policy that names a role that does not exist yet is refused, and one
    that names the account only lets IAM decide, where that role has no right to any key.

    EC2's spot role needs none: Auto Scaling starts spot machines of a launch template by its own role (the same page),
    Karpenter by its controller's, with instant fleets; and images are public and not encrypted, the only case for which
    the EC2 guide, "Service-linked role for Spot Instance requests", wants the role to have a key.
    """
    who = {"StringEquals": {"kms:CallerAccount": account_id}, "ArnEquals": {"aws:PrincipalArn": role}}
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": actions,
        "Resource": "*",
        "Condition": {**who, **more},
    }


def _lustre_links(account_id: str, region: str) -> dict[str, Any]:
    """Through S3 only: FSx for Lustre guide, "Working with server-side encrypted Amazon S3 buckets".

    FSx makes a role for each linked file system, whose name's end nobody knows before.
    """
    role = f"arn:{partition(region)}:iam::{account_id}:role/aws-service-role/{_LUSTRE_LINK_ROLE}"
    return {
        "Sid": "LustreLinks",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": list(_USE),
        "Resource": "*",
        "Condition": {
            "StringEquals": {"kms:CallerAccount": account_id, "kms:ViaService": f"s3.{region}.amazonaws.com"},
            "ArnLike": {"aws:PrincipalArn": role},
        },
    }


def _trail(account_id: str, region: str) -> dict[str, Any]:
    """CloudTrail guide, "Configure AWS KMS key policies for CloudTrail"; whoever reads the logs needs IAM's leave."""
    trails = f"arn:{partition(region)}:cloudtrail:{region}:{account_id}:trail/*"
    return {
        "Sid": "Trail",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"ArnLike": {"aws:SourceArn": trails}},
    }


def _publishers(services: tuple[str, ...]) -> dict[str, Any]:
    """SNS guide, "Enable compatibility between event sources from AWS services and encrypted topics".

    Without a condition, as there: not all of them say on whose behalf they ask, and an alert that is refused is lost.
    They can use the key in no way but through a topic that it encrypts.
    """
    return {
        "Sid": "Publishers",
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }
