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

from .naming import component_type
from .playbook_archive import PLAYBOOK, pack

PREFIX = "playbooks"  # of the keys in the data bucket
_DOCUMENT = "AWS-ApplyAnsiblePlaybooks"
_TIMEOUT_S = 3600


@dataclass(frozen=True, kw_only=True)
class NodeConfigurationArgs:
    """``node_role_names``: by pool; ``tag``: key and value that every machine of this data centre bears, and no other.

    ``playbooks``: the folder of the playbook and its roles.
    """

    name: str
    region: str
    playbooks: Path
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    node_role_names: Mapping[str, pulumi.Input[str]]
    tag: tuple[str, str]


class NodeConfiguration(pulumi.ComponentResource):
    """The archive, the nodes' right to read it, and the association that applies it."""

    association_id: pulumi.Output[str]
    archive_key: pulumi.Output[str]

    def __init__(self, name: str, args: NodeConfigurationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(NodeConfiguration), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        archive = self._create_archive()
        rights = self._create_rights()
        association = self._create_association(archive, rights)
        self.association_id, self.archive_key = association.association_id, archive.key
        self.register_outputs({"association_id": self.association_id, "archive_key": self.archive_key})

    def _create_archive(self) -> aws.s3.BucketObjectv2:
        content = pack(self._args.playbooks)
        return aws.s3.BucketObjectv2(
            f"{self._name}-archive",
            bucket=self._args.bucket_name,
            key=f"{PREFIX}/{hashlib.sha256(content).hexdigest()[:16]}.zip",
            # In the inputs, not a file beside them: what changes is the content and nothing else.
            content_base64=base64.b64encode(content).decode(),
            content_type="application/zip",
            opts=self._child,
        )

    def _create_rights(self) -> list[pulumi.Resource]:
        policy = pulumi.Output.all(self._args.bucket_arn, self._args.key_arn).apply(
            lambda arns: json.dumps(read_archive(arns[0], arns[1], self._args.region))
        )
        return [
            aws.iam.RolePolicy(f"{self._name}-{pool}", role=role, policy=policy, opts=self._child)
            for pool, role in self._args.node_role_names.items()
        ]

    def _create_association(self, archive: aws.s3.BucketObjectv2, after: list[pulumi.Resource]) -> aws.ssm.Association:
        args = self._args
        key, value = args.tag
        source = pulumi.Output.all(archive.bucket, archive.key).apply(
            lambda where: json.dumps({"path": f"https://s3.{args.region}.amazonaws.com/{where[0]}/{where[1]}"})
        )
        return aws.ssm.Association(
            f"{self._name}-association",
            name=_DOCUMENT,
            association_name=f"{args.name}-nodes",
            targets=[{"key": f"tag:{key}", "values": [value]}],
            parameters=parameters(source),
            # A node that cannot be configured is told and must not keep the others from it.
            max_concurrency="100%",
            max_errors="100%",
            compliance_severity="HIGH",
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )


def parameters(source: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """What the document is given: every value is text, and it refuses a colon in ``ExtraVariables``."""
    return {
        "SourceType": "S3",
        "SourceInfo": source,
        "InstallDependencies": "True",
        "PlaybookFile": PLAYBOOK,
        "ExtraVariables": "SSM=True",
        "Check": "False",
        "Verbose": "-v",
        "TimeoutSeconds": str(_TIMEOUT_S),
    }


def read_archive(bucket_arn: str, key_arn: str, region: str) -> dict[str, Any]:
    """The least that a node needs: the agent lists the key before it gets it (amazon-ssm-agent, ``s3resource``)."""
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}
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
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key_arn, "Condition": through_s3},
        ],
    }
