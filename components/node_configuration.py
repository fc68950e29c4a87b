"""The playbooks on every node: packed, put where nodes can read them, and applied by Systems Manager.

An association runs when it is made, when the archive changes (its key carries the digest), and on every machine that
joins later; not on a clock, for nothing should change under a training job.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from .key_access import through_s3
from .naming import NODES_TAG, component_type
from .playbook_archive import NODES_PLAYBOOK, pack

PREFIX = "playbooks"  # of the keys in the data bucket
_DOCUMENT = "AWS-ApplyAnsiblePlaybooks"
_TIMEOUT_S = 3600


@dataclass(frozen=True, kw_only=True)
class NodeConfigurationArgs:
    """Arguments of :class:`NodeConfiguration`.

    Attributes:
        playbooks: the folder of the playbooks and their roles.
        bucket_name: the bucket that the archive is put into.
        bucket_arn: its ARN.
        key_arn: the KMS key of the bucket.
        node_role_names: who may read the archive, by pool.
    """

    name: str
    region: str
    playbooks: Path
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    node_role_names: Mapping[str, pulumi.Input[str]]


class NodeConfiguration(pulumi.ComponentResource):
    """The archive, the nodes' right to read it, and the association that applies it.

    Attributes:
        association_id: Systems Manager's association.
        archive_key: the archive's key in the bucket.
        source: where the archive is, as the document takes it.
    """

    association_id: pulumi.Output[str]
    archive_key: pulumi.Output[str]
    source: pulumi.Output[str]

    def __init__(self, name: str, args: NodeConfigurationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(NodeConfiguration), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        archive = create_archive(f"{name}-archive", args.playbooks, args.bucket_name, self._child)
        self.source = archive_source(archive, args.region)
        rights = self._create_rights()
        association = self._create_association(rights)
        self.association_id, self.archive_key = association.association_id, archive.key
        self.register_outputs({"association_id": self.association_id, "archive_key": self.archive_key})

    def _create_rights(self) -> list[pulumi.Resource]:
        policy = archive_rights(self._args.bucket_arn, self._args.key_arn, self._args.region)
        return [
            aws.iam.RolePolicy(f"{self._name}-{pool}", role=role, policy=policy, opts=self._child)
            for pool, role in self._args.node_role_names.items()
        ]

    def _create_association(self, after: list[pulumi.Resource]) -> aws.ssm.Association:
        return apply_playbook(
            f"{self._name}-association",
            association_name=f"{self._args.name}-nodes",
            tag=(NODES_TAG, self._args.name),
            parameters=parameters(self.source, NODES_PLAYBOOK),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )


def apply_playbook(
    name: str,
    *,
    association_name: str,
    tag: tuple[str, str],
    parameters: dict[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> aws.ssm.Association:
    """The association that applies a playbook to the machines that bear a tag.

    A machine that cannot be configured is told and must not keep the others from it.
    """
    key, value = tag
    return aws.ssm.Association(
        name,
        name=_DOCUMENT,
        association_name=association_name,
        targets=[{"key": f"tag:{key}", "values": [value]}],
        parameters=parameters,
        max_concurrency="100%",
        max_errors="100%",
        compliance_severity="HIGH",
        opts=opts,
    )


def create_archive(
    name: str, playbooks: Path, bucket_name: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
) -> aws.s3.BucketObjectv2:
    """The folder of the playbooks, packed into a bucket."""
    content = pack(playbooks)
    return aws.s3.BucketObjectv2(
        name,
        bucket=bucket_name,
        key=f"{PREFIX}/{hashlib.sha256(content).hexdigest()[:16]}.zip",
        # In the inputs, not a file beside them: what changes is the content and nothing else.
        content_base64=base64.b64encode(content).decode(),
        content_type="application/zip",
        opts=opts,
    )


def archive_source(archive: aws.s3.BucketObjectv2, region: str) -> pulumi.Output[str]:
    """Where the archive is, as the document takes it."""
    return pulumi.Output.all(archive.bucket, archive.key).apply(
        lambda where: json.dumps({"path": f"https://s3.{region}.amazonaws.com/{where[0]}/{where[1]}"})
    )


def archive_rights(bucket_arn: pulumi.Input[str], key_arn: pulumi.Input[str], region: str) -> pulumi.Output[str]:
    """The policy of a role that may read the archive."""
    return pulumi.Output.all(bucket_arn, key_arn).apply(lambda arns: json.dumps(read_archive(arns[0], arns[1], region)))


def parameters(
    source: pulumi.Input[str], playbook: str, variables: Mapping[str, pulumi.Input[str]] | None = None
) -> dict[str, pulumi.Input[str]]:
    """What the document is given: every value is text, and it refuses a colon in ``ExtraVariables``."""
    given = pulumi.Output.all(**{"SSM": "True", **(variables or {})})
    return {
        "SourceType": "S3",
        "SourceInfo": source,
        "InstallDependencies": "True",
        "PlaybookFile": playbook,
        "ExtraVariables": given.apply(lambda known: " ".join(f"{name}={value}" for name, value in known.items())),
        "Check": "False",
        "Verbose": "-v",
        "TimeoutSeconds": str(_TIMEOUT_S),
    }


def read_archive(bucket_arn: str, key_arn: str, region: str) -> dict[str, Any]:
    """The least that a node needs: the agent lists the key before it gets it (amazon-ssm-agent, ``s3resource``)."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket_arn}/{PREFIX}/*"},
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket_arn,
                "Condition": {"StringLike": {"s3:prefix": f"{PREFIX}/*"}},
            },
            through_s3(["kms:Decrypt"], key_arn, region),
        ],
    }
