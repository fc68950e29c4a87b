"""An EFS file system: files that nodes of all zones share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import component_type
from .settings import AccessPointConfig, EfsConfig

NFS_PORT = 2049


@dataclass(frozen=True, kw_only=True)
class EfsArgs:
    """Arguments of :class:`Efs`.

    Attributes:
        system: its name in the stack file.
        subnet_ids: one a zone; each gets an address of the file system.
        nodes_security_group_id: the group that every node is in.
        retain: whether nothing deletes or replaces it.
        tags: beside everybody's.
    """

    name: str
    system: str
    config: EfsConfig
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    nodes_security_group_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    retain: bool
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


class Efs(pulumi.ComponentResource):
    """The file system, an address in each zone, who may mount it, and the folders that they see.

    Attributes:
        file_system_id: its id.
        file_system_arn: its ARN.
        access_point_ids: the folders, by their names in the stack file.
        security_group_id: the group of its addresses.
    """

    file_system_id: pulumi.Output[str]
    file_system_arn: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    access_point_ids: dict[str, pulumi.Output[str]]
    security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: EfsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Efs), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        system = self._create_file_system()
        self._create_policy(system)
        self._create_backup(system)
        group = self._create_security_group()
        targets = self._create_mount_targets(system, group)
        points = args.config.access_points.items()
        self.access_point_ids = {point: self._create_access_point(system, point, one).id for point, one in points}
        self.file_system_id, self.file_system_arn, self.dns_name = system.id, system.arn, system.dns_name
        self.mount_targets, self.security_group_id = targets, group.id
        self.register_outputs({"file_system_id": self.file_system_id})

    def _create_file_system(self) -> aws.efs.FileSystem:
        args, config = self._args, self._args.config
        return aws.efs.FileSystem(
            f"{self._name}-file-system",
            encrypted=True,
            kms_key_id=args.key_arn,
            performance_mode="generalPurpose",
            throughput_mode=config.throughput,
            lifecycle_policies=lifecycle_policies(config) or None,
            tags={"Name": f"{args.name}-{args.system}", **args.tags},
            opts=pulumi.ResourceOptions(parent=self, protect=args.retain),
        )

    def _create_policy(self, system: aws.efs.FileSystem) -> None:
        aws.efs.FileSystemPolicy(
            f"{self._name}-policy",
            file_system_id=system.id,
            policy=system.arn.apply(lambda arn: json.dumps(mount_policy(arn))),
            opts=self._child,
        )

    def _create_backup(self, system: aws.efs.FileSystem) -> None:
        """Said either way: EFS switches backups on by itself for some file systems and off for others."""
        status = "ENABLED" if self._args.config.daily_backup else "DISABLED"
        aws.efs.BackupPolicy(
            f"{self._name}-backup", file_system_id=system.id, backup_policy={"status": status}, opts=self._child
        )

    def _create_security_group(self) -> aws.ec2.SecurityGroup:
        args = self._args
        group = aws.ec2.SecurityGroup(
            f"{self._name}-group",
            description=f"EFS {args.system}: NFS from nodes",
            vpc_id=args.vpc_id,
            tags={"Name": f"{args.name}-efs-{args.system}"},
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-in-nodes",
            security_group_id=group.id,
            referenced_security_group_id=args.nodes_security_group_id,
            ip_protocol="tcp",
            from_port=NFS_PORT,
            to_port=NFS_PORT,
            opts=self._child,
        )
        return group

    def _create_mount_targets(
        self, system: aws.efs.FileSystem, group: aws.ec2.SecurityGroup
    ) -> list[aws.efs.MountTarget]:
        return [
            aws.efs.MountTarget(
                f"{self._name}-target-{index}",
                file_system_id=system.id,
                subnet_id=subnet_id,
                security_groups=[group.id],
                opts=self._child,
            )
            for index, subnet_id in enumerate(self._args.subnet_ids)
        ]

    def _create_access_point(
        self, system: aws.efs.FileSystem, point: str, config: AccessPointConfig
    ) -> aws.efs.AccessPoint:
        return aws.efs.AccessPoint(
            f"{self._name}-{point}",
            file_system_id=system.id,
            posix_user={"uid": config.uid, "gid": config.gid},
            root_directory={
                "path": config.path,
                "creation_info": {
                    "owner_uid": config.uid,
                    "owner_gid": config.gid,
                    "permissions": config.permissions,
                },
            },
            tags={"Name": f"{self._args.name}-{self._args.system}-{point}"},
            opts=self._child,
        )


def lifecycle_policies(config: EfsConfig) -> list[aws.efs.FileSystemLifecyclePolicyArgsDict]:
    """When files move to cheaper storage, and back when they are read: one policy a move, as EFS keeps them."""
    policies: list[aws.efs.FileSystemLifecyclePolicyArgsDict] = []
    if config.infrequent_days is not None:
        policies.append({"transition_to_ia": _after(config.infrequent_days)})
    if config.archive_days is not None:
        policies.append({"transition_to_archive": _after(config.archive_days)})
    return [*policies, {"transition_to_primary_storage_class": "AFTER_1_ACCESS"}] if policies else []


def _after(days: int) -> str:
    return f"AFTER_{days}_DAY" if days == 1 else f"AFTER_{days}_DAYS"


def mount_policy(file_system_arn: str) -> dict[str, Any]:
    """Who reaches a mount target may read and write, nobody is root, and nothing goes without TLS.

    A file system without a policy lets root be root; one with a policy lets only what the policy names.
    """
    mount = {
        "Sid": "Mount",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
        "Resource": file_system_arn,
        "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
    }
    tls = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "*",
        "Resource": file_system_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [mount, tls]}
