"""One migration: where the data comes from, where it goes to, and the DataSync task between the two."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from . import migration_access as access
from .efs import NFS_PORT
from .naming import IAM_ROLE_LIMIT, component_type, fit, partition
from .settings import PROJECT, MigrationConfig

_MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class EfsTarget:
    """An EFS file system that data goes to.

    Attributes:
        file_system_arn: its ARN.
        subnet_id: one with an address of the file system.
        security_group_id: the group of those addresses.
        after: what it needs before it can be mounted: its addresses, where the same program makes them.
    """

    file_system_arn: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_id: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    after: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True, kw_only=True)
class LustreTarget:
    """An FSx for Lustre file system that data goes to.

    Attributes:
        file_system_arn: its ARN.
        security_group_arn: the group of the servers, whose members reach each other by Lustre's ports.
    """

    file_system_arn: pulumi.Input[str]
    security_group_arn: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """Arguments of :class:`Migration`.

    Attributes:
        migration: its name in the stack file.
        bucket_arn: the data bucket, where reports go, and the data where ``target`` is ``None``.
        log_group_arn: where DataSync writes what it did.
        target: the file system that the data goes to.

    Raises:
        ValueError: another target than the section's ``kind``.
    """

    name: str
    migration: str
    region: str
    account_id: pulumi.Input[str]
    config: MigrationConfig
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    log_group_arn: pulumi.Input[str]
    target: EfsTarget | LustreTarget | None = None

    def __post_init__(self) -> None:
        config = self.config
        wanted = {"efs": EfsTarget, "fsx": LustreTarget}.get(config.kind)
        if (wanted is None) != (self.target is None) or (wanted and not isinstance(self.target, wanted)):
            given = type(self.target).__name__ if self.target else "none"
            raise ValueError(
                f"migration {self.migration} is of kind {config.kind}, which takes as its target "
                f"{wanted.__name__ if wanted else 'none'}; it was given {given}"
            )


class Migration(pulumi.ComponentResource):
    """Two locations, the roles by which DataSync reaches them, and a task that verifies what it has transferred.

    Attributes:
        task_arn: DataSync's task.
        source_role_arn: who reads the source bucket: what a bucket policy of another account must let in; ``None`` for
            other sources.
    """

    task_arn: pulumi.Output[str]
    source_role_arn: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Migration), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._bucket_role, self._bucket_rights = self._create_bucket_role()
        task = self._create_task(self._create_source(), self._create_destination())
        self.task_arn = task.arn
        self.register_outputs({"task_arn": self.task_arn})

    def _create_role(
        self, label: str, policy: pulumi.Input[str], regions: list[str]
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        args = self._args
        trusted = pulumi.Output.from_input(args.account_id).apply(lambda id: json.dumps(access.trust(id, regions)))
        role = aws.iam.Role(
            f"{self._name}-{label}-role",
            name=fit(args.name, args.region, "datasync", args.migration, label, limit=IAM_ROLE_LIMIT),
            assume_role_policy=trusted,
            opts=self._child,
        )
        return role, aws.iam.RolePolicy(f"{self._name}-{label}-policy", role=role.name, policy=policy, opts=self._child)

    def _create_bucket_role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        args = self._args
        policy = pulumi.Output.all(args.account_id, args.bucket_arn, args.key_arn).apply(
            lambda known: json.dumps(access.bucket_access(args.migration, args.config, args.region, *known))
        )
        return self._create_role("bucket", policy, [args.region])

    def _create_source(self) -> pulumi.Output[str]:
        nfs = self._args.config.nfs
        if nfs is None:
            return self._create_source_bucket()
        location = aws.datasync.NfsLocation(
            f"{self._name}-source",
            server_hostname=nfs.server,
            subdirectory=nfs.path,
            on_prem_config={"agent_arns": list(nfs.agent_arns)},
            tags=self._tags("source"),
            opts=self._child,
        )
        return location.arn

    def _create_source_bucket(self) -> pulumi.Output[str]:
        """In the bucket's own region; the task in the stack's names it."""
        args, source = self._args, self._args.config.s3
        assert source is not None  # the arguments have seen to it
        policy = pulumi.Output.from_input(args.account_id).apply(
            lambda id: json.dumps(access.source_access(args.config, args.region, id))
        )
        role, rights = self._create_role("source", policy, [args.region, source.region])
        self.source_role_arn = role.arn
        location = aws.datasync.S3Location(
            f"{self._name}-source",
            region=source.region,
            s3_bucket_arn=f"arn:{partition(source.region)}:s3:::{source.bucket}",
            subdirectory=f"/{source.prefix or ''}",
            s3_config={"bucket_access_role_arn": role.arn},
            tags=self._tags("source"),
            # DataSync reads a bucket before it takes it as a location.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights]),
        )
        return location.arn

    def _create_destination(self) -> pulumi.Output[str]:
        args = self._args
        if isinstance(args.target, EfsTarget):
            return self._create_efs_destination(args.target)
        if isinstance(args.target, LustreTarget):
            location = aws.datasync.LocationFsxLustre(
                f"{self._name}-destination",
                fsx_filesystem_arn=args.target.file_system_arn,
                security_group_arns=[args.target.security_group_arn],
                subdirectory=args.config.path or "/",
                tags=self._tags("destination"),
                opts=self._child,
            )
            return location.arn
        bucket = aws.datasync.S3Location(
            f"{self._name}-destination",
            s3_bucket_arn=args.bucket_arn,
            subdirectory=f"/{args.config.prefix}",  # as the provider reads it back
            s3_config={"bucket_access_role_arn": self._bucket_role.arn},
            tags=self._tags("destination"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._bucket_rights]),
        )
        return bucket.arn

    def _create_efs_destination(self, target: EfsTarget) -> pulumi.Output[str]:
        args = self._args
        group, rules = self._create_security_group(target)
        policy = pulumi.Output.from_input(target.file_system_arn).apply(lambda arn: json.dumps(access.efs_access(arn)))
        role, rights = self._create_role("files", policy, [args.region])
        subnet_arn = pulumi.Output.all(args.account_id, target.subnet_id).apply(
            lambda known: f"arn:{partition(args.region)}:ec2:{args.region}:{known[0]}:subnet/{known[1]}"
        )
        location = aws.datasync.EfsLocation(
            f"{self._name}-destination",
            efs_file_system_arn=target.file_system_arn,
            ec2_config={"subnet_arn": subnet_arn, "security_group_arns": [group.arn]},
            subdirectory=args.config.path or "/",
            file_system_access_role_arn=role.arn,
            in_transit_encryption="TLS1_2",
            tags=self._tags("destination"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights, *rules, *target.after]),
        )
        return location.arn

    def _create_security_group(self, target: EfsTarget) -> tuple[aws.ec2.SecurityGroup, list[pulumi.Resource]]:
        """DataSync's interfaces: out to the file system by NFS, and nothing in."""
        group = aws.ec2.SecurityGroup(
            f"{self._name}-group",
            description=f"DataSync {self._args.migration}: NFS to EFS",
            vpc_id=target.vpc_id,
            tags=self._tags("group"),
            opts=self._child,
        )
        ports: dict[str, Any] = {"ip_protocol": "tcp", "from_port": NFS_PORT, "to_port": NFS_PORT, "opts": self._child}
        out = aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-out-efs",
            security_group_id=group.id,
            referenced_security_group_id=target.security_group_id,
            **ports,
        )
        into = aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-in-efs",
            security_group_id=target.security_group_id,
            referenced_security_group_id=group.id,
            **ports,
        )
        return group, [out, into]

    def _create_task(self, source_arn: pulumi.Output[str], destination_arn: pulumi.Output[str]) -> aws.datasync.Task:
        args, config = self._args, self._args.config
        return aws.datasync.Task(
            f"{self._name}-task",
            name=f"{args.name}-{args.migration}",
            source_location_arn=source_arn,
            destination_location_arn=destination_arn,
            # Enhanced mode compares nothing but what was transferred, and writes to a log group of DataSync's own.
            task_mode="BASIC",
            options={
                "verify_mode": config.verify_mode,
                "transfer_mode": "CHANGED",
                "preserve_deleted_files": "PRESERVE",
                "bytes_per_second": config.bandwidth_mib_s * _MIB if config.bandwidth_mib_s else -1,
                "log_level": "BASIC",  # what failed; the report has the rest
            },
            includes=_filter(config.include),
            excludes=_filter(config.exclude),
            schedule={"schedule_expression": config.schedule} if config.schedule else None,
            cloudwatch_log_group_arn=args.log_group_arn,
            task_report_config={
                "s3_destination": {
                    "s3_bucket_arn": args.bucket_arn,
                    "subdirectory": access.report_prefix(args.migration),
                    "bucket_access_role_arn": self._bucket_role.arn,
                },
                "output_type": "STANDARD",
                "report_level": "ERRORS_ONLY",  # its counts are of everything
                "s3_object_versioning": "NONE",
            },
            tags=self._tags("task"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._bucket_rights]),
        )

    def _tags(self, what: str) -> dict[str, str]:
        args = self._args
        tags = {"Name": f"{args.name}-{args.migration}-{what}"}
        return {**tags, f"{PROJECT}:dataset": args.config.dataset} if args.config.dataset else tags


def _filter(patterns: tuple[str, ...]) -> Any:
    return {"filter_type": "SIMPLE_PATTERN", "value": "|".join(patterns)} if patterns else None
