"""An FSx for Lustre file system: in one zone, for data that many nodes read at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from .naming import component_type
from .settings import LustreConfig

# FSx for Lustre guide, "File system access control with Amazon VPC": between clients and servers, in both directions,
# and between the servers themselves.
PORTS = ((988, 988), (1018, 1023))
LUSTRE_VERSION = "2.15"  # the newest; persistent_2 buys metadata operations with it only


@dataclass(frozen=True, kw_only=True)
class LustreArgs:
    """Arguments of :class:`Lustre`.

    Attributes:
        system: its name in the stack file.
        subnet_id: the one subnet that it is in.
        nodes_security_group_id: the group that every node is in.
        fabric_group_ids: the EFA groups of the pools that read over EFA, by pool; ignored without ``config.efa``.
        bucket_names: by the names that a link gives buckets.
        retain: whether nothing deletes or replaces it, where it keeps data at all.
        tags: beside everybody's.
    """

    name: str
    system: str
    config: LustreConfig
    vpc_id: pulumi.Input[str]
    subnet_id: pulumi.Input[str]
    nodes_security_group_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    retain: bool
    fabric_group_ids: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    bucket_names: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


class Lustre(pulumi.ComponentResource):
    """The file system, who reaches it, and its tie to a bucket.

    Attributes:
        file_system_id: its id.
        file_system_arn: its ARN.
        mount_name: what is mounted, behind ``dns_name``.
        security_group_arn: the group of its servers.
    """

    file_system_id: pulumi.Output[str]
    file_system_arn: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    mount_name: pulumi.Output[str]
    security_group_arn: pulumi.Output[str]

    def __init__(self, name: str, args: LustreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Lustre), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        group, rules = self._create_security_group()
        system = self._create_file_system(group, rules, self._create_log_group())
        self._create_link(system)
        self.file_system_id, self.file_system_arn = system.id, system.arn
        self.dns_name, self.mount_name = system.dns_name, system.mount_name
        self.security_group_arn = group.arn
        self.register_outputs({"file_system_id": self.file_system_id, "mount_name": self.mount_name})

    def _create_security_group(self) -> tuple[aws.ec2.SecurityGroup, list[pulumi.Resource]]:
        """Lustre's ports, to and from nodes and servers: a server calls its clients back; and EFA where it has it."""
        args = self._args
        group = aws.ec2.SecurityGroup(
            f"{self._name}-group",
            description=f"FSx for Lustre {args.system} and its clients",
            vpc_id=args.vpc_id,
            tags={"Name": f"{args.name}-lustre-{args.system}"},
            opts=self._child,
        )
        nodes = args.nodes_security_group_id
        rules: list[pulumi.Resource] = []
        for low, high in PORTS:
            rules += self._open(f"servers-{low}", group.id, group.id, low, high)
            rules += self._open(f"nodes-{low}", group.id, nodes, low, high)
            rules.append(self._let_in(f"back-{low}", nodes, group.id, low, high))
        if args.config.efa:
            rules += self._open_fabric(group.id)
        return group, rules

    def _open_fabric(self, group_id: pulumi.Output[str]) -> list[pulumi.Resource]:
        """Everything, within the group and with each pool's EFA group, in and out on both sides.

        FSx for Lustre guide, "EFA-enabled security groups". Rules, and no common group: FSx cannot change the groups of
        a file system, and the next pool would cost all that is in it.
        """
        rules = self._open("fabric", group_id, group_id)
        for pool, fabric in self._args.fabric_group_ids.items():
            rules += [*self._open(f"fabric-{pool}", group_id, fabric), *self._open(f"back-{pool}", fabric, group_id)]
        return rules

    def _open(
        self,
        label: str,
        mine: pulumi.Input[str],
        theirs: pulumi.Input[str],
        low: int | None = None,
        high: int | None = None,
    ) -> list[pulumi.Resource]:
        """Both ways between two groups, as ``mine`` has it: TCP between two ports, or all traffic."""
        out = aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-out-{label}",
            security_group_id=mine,
            referenced_security_group_id=theirs,
            ip_protocol="tcp" if low else "-1",
            from_port=low,
            to_port=high,
            opts=self._child,
        )
        return [self._let_in(label, mine, theirs, low, high), out]

    def _let_in(
        self, label: str, to: pulumi.Input[str], source: pulumi.Input[str], low: int | None, high: int | None
    ) -> pulumi.Resource:
        return aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-in-{label}",
            security_group_id=to,
            referenced_security_group_id=source,
            ip_protocol="tcp" if low else "-1",
            from_port=low,
            to_port=high,
            opts=self._child,
        )

    def _create_log_group(self) -> aws.cloudwatch.LogGroup:
        """FSx writes to groups whose name begins so, and to no others."""
        return aws.cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=f"/aws/fsx/{self._args.name}-{self._args.system}",
            retention_in_days=self._args.config.log_retention_days,
            kms_key_id=self._args.key_arn,
            opts=self._child,
        )

    def _create_file_system(
        self, group: aws.ec2.SecurityGroup, rules: list[pulumi.Resource], logs: aws.cloudwatch.LogGroup
    ) -> aws.fsx.LustreFileSystem:
        args, config = self._args, self._args.config
        persistent = config.deployment == "persistent_2"
        return aws.fsx.LustreFileSystem(
            f"{self._name}-file-system",
            subnet_ids=args.subnet_id,  # one, whatever the name says
            security_group_ids=[group.id],
            deployment_type=config.deployment.upper(),
            storage_type="SSD",
            storage_capacity=config.capacity_gib,
            file_system_type_version=LUSTRE_VERSION,
            data_compression_type="LZ4" if config.compression else "NONE",
            log_configuration={"destination": logs.arn, "level": "WARN_ERROR"},
            # What only persistent file systems have: scratch is encrypted with a key of FSx' own.
            per_unit_storage_throughput=config.throughput_mb_s_per_tib,
            kms_key_id=args.key_arn if persistent else None,
            efa_enabled=config.efa if persistent else None,
            metadata_configuration=_metadata(config) if persistent else None,
            automatic_backup_retention_days=config.backup_retention_days if persistent else None,
            # Said whether there are backups or not: FSx cannot change it, and beginning with them would be a new one.
            copy_tags_to_backups=True if persistent else None,
            skip_final_backup=not config.backup_retention_days,
            tags={"Name": f"{args.name}-{args.system}", **args.tags},
            # A file system that reaches nobody while it is made fails.
            opts=pulumi.ResourceOptions(parent=self, depends_on=rules, protect=args.retain and persistent),
        )

    def _create_link(self, system: aws.fsx.LustreFileSystem) -> None:
        link = self._args.config.link
        if link is None:
            return
        bucket = pulumi.Output.from_input(self._args.bucket_names[link.bucket])
        aws.fsx.DataRepositoryAssociation(
            f"{self._name}-link",
            file_system_id=system.id,
            file_system_path=link.path,
            data_repository_path=bucket.apply(lambda known: f"s3://{known}/{link.prefix}"),
            # What is in the bucket already appears at once; what it holds is read when it is opened.
            batch_import_meta_data_on_create=True,
            delete_data_in_filesystem=False,
            s3={
                "auto_import_policy": {"events": _events(link.import_events)} if link.import_events else None,
                "auto_export_policy": {"events": _events(link.export_events)} if link.export_events else None,
            },
            opts=self._child,
        )


def _metadata(config: LustreConfig) -> aws.fsx.LustreFileSystemMetadataConfigurationArgsDict:
    if config.metadata_iops is None:
        return {"mode": "AUTOMATIC"}
    return {"mode": "USER_PROVISIONED", "iops": config.metadata_iops}


def _events(events: tuple[str, ...]) -> list[pulumi.Input[str]]:
    return [event.upper() for event in events]
