"""The file systems of a data centre with the drivers that mount them; nothing where a stack file asks for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from .csi_drivers import CsiDrivers, CsiDriversArgs
from .datasets import Place, dataset_tags, datasets_in
from .efs import Efs, EfsArgs
from .lustre import Lustre, LustreArgs
from .settings import StackConfig
from .storage_classes import LustreVolume, StorageClasses, StorageClassesArgs


@dataclass(frozen=True, kw_only=True)
class FileSystemsArgs:
    """Arguments of :class:`FileSystems`.

    Attributes:
        subnet_ids: one a zone, in the order of ``config.network.zones``.
        fabric_subnet_ids: the same of the nodes that have EFA, which reaches nothing in other subnets.
        nodes_security_group_id: the group that every node is in.
        fabric_group_ids: the EFA groups by pool, of the pools that have EFA.
        bucket_names: the buckets by what a link calls them.
        after: the node groups.
    """

    config: StackConfig
    account_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: list[pulumi.Output[str]]
    fabric_subnet_ids: list[pulumi.Output[str]]
    cluster_name: pulumi.Input[str]
    nodes_security_group_id: pulumi.Input[str]
    fabric_group_ids: Mapping[str, pulumi.Output[str]]
    bucket_names: Mapping[str, pulumi.Output[str]]
    key_arn: pulumi.Input[str]
    after: list[pulumi.Resource]


class FileSystems:
    """Builds them, with what is around them. No resource of its own, as :class:`components.datacenter.Datacenter`."""

    def __init__(self, args: FileSystemsArgs, opts: pulumi.ResourceOptions) -> None:
        self._args, self._opts = args, opts
        self.lustre = {name: self._create_lustre(name) for name in args.config.lustre}
        self.efs = {name: self._create_efs(name) for name in args.config.efs}
        self.drivers = self._create_drivers()

    def _create_lustre(self, system: str) -> Lustre:
        args, config = self._args, self._args.config
        zone, efa = config.lustre[system].zone, config.lustre[system].efa
        subnets = args.fabric_subnet_ids if efa else args.subnet_ids
        near = {pool: found for pool, found in args.fabric_group_ids.items() if config.pools[pool].zone == zone}
        return Lustre(
            f"lustre-{system}",
            LustreArgs(
                name=config.name,
                system=system,
                config=config.lustre[system],
                vpc_id=args.vpc_id,
                subnet_id=subnets[(config.network.zones or ()).index(zone)],
                nodes_security_group_id=args.nodes_security_group_id,
                fabric_group_ids=near,
                bucket_names=args.bucket_names,
                key_arn=args.key_arn,
                retain=config.retain_data,
                tags=dataset_tags(datasets_in("fsx", system, config)),
            ),
            self._opts,
        )

    def _create_efs(self, system: str) -> Efs:
        args, config = self._args, self._args.config
        return Efs(
            f"efs-{system}",
            EfsArgs(
                name=config.name,
                system=system,
                config=config.efs[system],
                vpc_id=args.vpc_id,
                subnet_ids=args.subnet_ids,
                nodes_security_group_id=args.nodes_security_group_id,
                key_arn=args.key_arn,
                retain=config.retain_data,
                tags=dataset_tags(datasets_in("efs", system, config)),
            ),
            self._opts,
        )

    def _create_drivers(self) -> CsiDrivers | None:
        args, config = self._args, self._args.config
        if not (config.ebs or config.efs or config.lustre):
            return None
        return CsiDrivers(
            "csi-drivers",
            CsiDriversArgs(
                name=config.name,
                region=config.aws.region,
                account_id=args.account_id,
                kubernetes_version=config.cluster.version,
                cluster_name=args.cluster_name,
                key_arn=args.key_arn,
                ebs=bool(config.ebs),
                efs_arns=[system.file_system_arn for system in self.efs.values()],
                fsx=bool(config.lustre),
                after=args.after,
            ),
            self._opts,
        )

    def create_classes(self, opts: pulumi.ResourceOptions) -> StorageClasses | None:
        """The cluster's storage classes, in the cluster's own provider."""
        if self.drivers is None:
            return None
        volumes = {
            name: LustreVolume(
                config=self._args.config.lustre[name],
                file_system_id=system.file_system_id,
                dns_name=system.dns_name,
                mount_name=system.mount_name,
            )
            for name, system in self.lustre.items()
        }
        efs = {name: system.file_system_id for name, system in self.efs.items()}
        args = StorageClassesArgs(ebs=self._args.config.ebs, efs=efs, lustre=volumes, key_arn=self._args.key_arn)
        after = pulumi.ResourceOptions(depends_on=[self.drivers])
        return StorageClasses("storage-classes", args, pulumi.ResourceOptions.merge(opts, after))

    def places(self) -> dict[Place, pulumi.Input[str]]:
        """What datasets lie in: the buckets' names and the file systems' ids."""
        return {
            **{("s3", name): bucket for name, bucket in self._args.bucket_names.items()},
            **{("fsx", name): system.file_system_id for name, system in self.lustre.items()},
            **{("efs", name): system.file_system_id for name, system in self.efs.items()},
        }

    def outputs(self) -> list[dict[str, Any]]:
        """The fields of :class:`components.outputs.FileSystemOutputs`."""
        lustre = [
            {
                "name": name,
                "kind": "fsx",
                "id": system.file_system_id,
                "arn": system.file_system_arn,
                "dns_name": system.dns_name,
                "mount_name": system.mount_name,
                "storage_class": f"lustre-{name}",
            }
            for name, system in self.lustre.items()
        ]
        efs = [
            {
                "name": name,
                "kind": "efs",
                "id": system.file_system_id,
                "arn": system.file_system_arn,
                "dns_name": system.dns_name,
                "mount_name": None,
                "storage_class": f"efs-{name}",
            }
            for name, system in self.efs.items()
        ]
        return [*lustre, *efs]
