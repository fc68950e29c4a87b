"""How data comes to the data centre, and where training data is told; the job between the two is in ``etl_job``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .catalogue import Catalogue, CatalogueArgs
from .file_systems import FileSystems
from .migration import EfsTarget, LustreTarget, Migration, MigrationArgs
from .migration_access import log_access
from .naming import component_type
from .rules.data_pipeline import file_system_of
from .settings import DataPipelineConfig, StackConfig


@dataclass(frozen=True, kw_only=True)
class DataPipelineArgs:
    """Arguments of :class:`DataPipeline`.

    Attributes:
        config: the whole stack file.
        pipeline: its section ``data_pipeline``.
        storage_subnet_ids: those with the file systems' addresses.
        bucket_name: the data bucket.
        bucket_arn: the data bucket's.
        file_systems: what migrations may go to: :class:`components.file_systems.FileSystems`.
    """

    config: StackConfig
    pipeline: DataPipelineConfig
    account_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    storage_subnet_ids: list[pulumi.Output[str]]
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    file_systems: FileSystems


class DataPipeline(pulumi.ComponentResource):
    """The migrations with the log that they share, and the catalogue.

    Attributes:
        migrations: by their names in the stack file.
        catalogue: the catalogue of what etl made, ``None`` without one.
    """

    migrations: Mapping[str, Migration]
    catalogue: Catalogue | None = None

    def __init__(self, name: str, args: DataPipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(DataPipeline), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.migrations = self._create_migrations()
        if args.pipeline.catalogue:
            prefix = args.pipeline.catalogue.prefix
            told = CatalogueArgs(name=args.config.name, bucket_name=args.bucket_name, prefix=prefix)
            self.catalogue = Catalogue(f"{name}-catalogue", told, self._child)
        self.register_outputs({"migrations": list(self.migrations)})

    def _create_migrations(self) -> dict[str, Migration]:
        declared = self._args.pipeline.migrations
        if not declared:
            return {}
        logs, allowed = self._create_log_group()
        opts = pulumi.ResourceOptions(parent=self, depends_on=[allowed])
        return {name: Migration(f"{self._name}-{name}", self._migration(name, logs), opts) for name in declared}

    def _create_log_group(self) -> tuple[aws.cloudwatch.LogGroup, pulumi.Resource]:
        args = self._args
        region, name = args.config.aws.region, args.config.name
        logs = aws.cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=f"/aws/datasync/{name}",
            retention_in_days=args.pipeline.log_retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        # One for all migrations: a region takes ten such policies of an account.
        allowed = aws.cloudwatch.LogResourcePolicy(
            f"{self._name}-logs-policy",
            policy_name=f"{name}-datasync",
            policy_document=pulumi.Output.all(args.account_id, logs.arn).apply(
                lambda known: json.dumps(log_access(region, *known))
            ),
            opts=self._child,
        )
        return logs, allowed

    def _migration(self, migration: str, logs: aws.cloudwatch.LogGroup) -> MigrationArgs:
        args = self._args
        return MigrationArgs(
            name=args.config.name,
            migration=migration,
            region=args.config.aws.region,
            account_id=args.account_id,
            config=args.pipeline.migrations[migration],
            bucket_arn=args.bucket_arn,
            key_arn=args.key_arn,
            log_group_arn=logs.arn,
            target=self._target(migration),
        )

    def _target(self, migration: str) -> EfsTarget | LustreTarget | None:
        args, config = self._args, self._args.pipeline.migrations[migration]
        system = file_system_of(config, args.config) or ""
        if config.kind == "fsx":
            lustre = args.file_systems.lustre[system]
            return LustreTarget(file_system_arn=lustre.file_system_arn, security_group_arn=lustre.security_group_arn)
        if config.kind == "s3":
            return None
        efs = args.file_systems.efs[system]
        return EfsTarget(
            file_system_arn=efs.file_system_arn,
            vpc_id=args.vpc_id,
            subnet_id=args.storage_subnet_ids[0],
            security_group_id=efs.security_group_id,
            after=[*efs.mount_targets],
        )

    def outputs(self) -> dict[str, Any]:
        """``migrations`` and ``catalogue`` of :class:`components.outputs.DataPipelineOutputs`."""
        migrations = [
            {
                "name": name,
                "task_arn": one.task_arn,
                "source_role_arn": one.source_role_arn,
                "dataset": self._args.pipeline.migrations[name].dataset,
            }
            for name, one in self.migrations.items()
        ]
        told = self.catalogue
        catalogue = (
            {"database": told.database_name, "table": told.table_name, "location_url": told.location_url}
            if told
            else None
        )
        return {"migrations": migrations, "catalogue": catalogue}
