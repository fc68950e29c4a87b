"""What is kept: buckets, file systems and images."""

from __future__ import annotations

from typing import Any

import pulumi

from ..data_pipeline import DataPipeline, DataPipelineArgs
from ..datasets import Place, dataset_outputs, dataset_tags, datasets_in
from ..file_systems import FileSystems, FileSystemsArgs
from ..migration import EfsTarget, LustreTarget
from ..registry import Registry, RegistryArgs, RepositoryArgs
from ..rules.data_pipeline import file_system_of
from ..settings import DataPipelineConfig, MigrationConfig
from ..storage import Storage, StorageArgs
from .compute import Compute
from .foundation import Foundation
from .site import Site


class Data:
    """Storage of all kinds, and how data comes there where the stack says so."""

    data_pipeline: DataPipeline | None = None

    def __init__(self, site: Site, foundation: Foundation, compute: Compute) -> None:
        self._site, self._network, self._key_arn = site, foundation.network, foundation.encryption.key_arn
        self.storage = self._create_storage()
        self.file_systems = self._create_file_systems(compute)
        self.registry = self._create_registry()
        if site.config.data_pipeline:
            self.data_pipeline = self._create_data_pipeline(site.config.data_pipeline)

    def _create_storage(self) -> Storage:
        site = self._site
        args = StorageArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=site.config.storage,
            key_arn=self._key_arn,
            retain=site.config.retain_data,
            tags={bucket: dataset_tags(datasets_in("s3", bucket, site.config)) for bucket in ("data", "checkpoints")},
        )
        return Storage("storage", args, site.opts)

    def _create_file_systems(self, compute: Compute) -> FileSystems:
        args = FileSystemsArgs(
            config=self._site.config,
            account_id=self._site.account_id,
            vpc_id=self._network.vpc_id,
            subnet_ids=self._network.storage_subnet_ids,
            fabric_subnet_ids=self._network.accelerator_subnet_ids,
            cluster_name=compute.cluster.cluster_name,
            nodes_security_group_id=compute.cluster.security_group_id,
            fabric_group_ids={name: group for name, pool in compute.pools.items() for group in pool.fabric_group_ids},
            bucket_names=self.storage.bucket_names,
            key_arn=self._key_arn,
            after=compute.groups,
        )
        return FileSystems(args, self._site.opts)

    def _create_registry(self) -> Registry:
        site = self._site
        repository = RepositoryArgs(
            name=site.name, config=site.config.registry, key_arn=self._key_arn, retain=site.config.retain_data
        )
        args = RegistryArgs(repository=repository, workloads=site.workloads)
        return Registry("registry", args, site.opts)

    def arns(self) -> dict[Place, pulumi.Output[str]]:
        """The buckets and file systems, by what datasets call them."""
        systems = self.file_systems
        return {
            ("s3", "data"): self.storage.data_bucket_arn,
            ("s3", "checkpoints"): self.storage.checkpoint_bucket_arn,
            **{("fsx", name): system.file_system_arn for name, system in systems.lustre.items()},
            **{("efs", name): system.file_system_arn for name, system in systems.efs.items()},
        }

    def _create_data_pipeline(self, pipeline: DataPipelineConfig) -> DataPipeline:
        site = self._site
        targets = {name: self._target_of(one) for name, one in pipeline.migrations.items()}
        args = DataPipelineArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=pipeline,
            bucket_name=self.storage.data_bucket_name,
            bucket_arn=self.storage.data_bucket_arn,
            key_arn=self._key_arn,
            targets={name: target for name, target in targets.items() if target},
        )
        # Transfers go into a bucket that is as it is to be: encrypted, private, versioned.
        return DataPipeline("data-pipeline", args, site.after(self.storage))

    def _target_of(self, migration: MigrationConfig) -> EfsTarget | LustreTarget | None:
        """The file system that a migration goes to; ``None``: the data bucket."""
        system = file_system_of(migration, self._site.config) or ""
        if migration.kind == "s3":
            return None
        if migration.kind == "fsx":
            lustre = self.file_systems.lustre[system]
            return LustreTarget(file_system_arn=lustre.file_system_arn, security_group_arn=lustre.security_group_arn)
        efs = self.file_systems.efs[system]
        return EfsTarget(
            file_system_arn=efs.file_system_arn,
            vpc_id=self._network.vpc_id,
            subnet_id=self._network.storage_subnet_ids[0],
            security_group_id=efs.security_group_id,
            after=[*efs.mount_targets],
        )

    def outputs(self) -> dict[str, Any]:
        """Where data and images are."""
        return {
            "buckets": self.storage.bucket_names,
            "file_systems": self.file_systems.outputs(),
            "datasets": dataset_outputs(self._site.config, self.file_systems.places()),
            "registry": {"repository_url": self.registry.repository_url, "image": self.registry.image},
        }
